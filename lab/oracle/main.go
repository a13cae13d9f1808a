// Command oracle lets Calico's own code answer what Felix would use. It reads questions, one JSON document after
// another, from standard input and writes one answer a line: a configuration resolved by Felix's start-up code, what
// Felix would find changed between two, a pattern matched by Go's regular expressions, or a selector evaluated by
// Calico's parser.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/sirupsen/logrus"

	"github.com/projectcalico/calico/libcalico-go/lib/selector"
)

// question has exactly one of its parts.
type question struct {
	Configuration *configuration `json:"configuration"`
	Changes       *passage       `json:"changes"`
	Pattern       *pattern       `json:"pattern"`
	Selector      *selection     `json:"selector"`
}

type pattern struct {
	Expression string `json:"expression"`
	Text       string `json:"text"`
}

type selection struct {
	Expression string            `json:"expression"`
	Labels     map[string]string `json:"labels"`
}

// verdict answers a pattern or a selector.
type verdict struct {
	Valid   bool `json:"valid"`
	Matches bool `json:"matches"`
}

func main() {
	logrus.SetOutput(io.Discard)
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(2)
	}
}

func answerAll(in io.Reader, out io.Writer) error {
	questions := json.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	encoder := json.NewEncoder(out)
	for questions.More() {
		var asked question
		if err := questions.Decode(&asked); err != nil {
			return err
		}
		if err := encoder.Encode(answer(asked)); err != nil {
			return err
		}
	}
	return nil
}

func answer(asked question) any {
	switch {
	case asked.Configuration != nil:
		return resolveOften(*asked.Configuration)
	case asked.Changes != nil:
		return changes(*asked.Changes)
	case asked.Pattern != nil:
		compiled, err := regexp.Compile(asked.Pattern.Expression)
		return verdict{Valid: err == nil, Matches: err == nil && compiled.MatchString(asked.Pattern.Text)}
	case asked.Selector != nil:
		parsed, err := selector.Parse(asked.Selector.Expression)
		return verdict{Valid: err == nil, Matches: err == nil && parsed.Evaluate(asked.Selector.Labels)}
	default:
		return verdict{}
	}
}
