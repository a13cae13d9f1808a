package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"syscall"
)

// order is one line of JSON from the lab: a script for the shell.
type order struct {
	Script string `json:"script"`
}

// answer is one line of JSON to the lab: a line that the script printed, or how it ended, which is the last.
type answer struct {
	Line  *string `json:"line,omitempty"`
	Error bool    `json:"error,omitempty"` // the line was printed on standard error
	Exit  *int    `json:"exit,omitempty"`
}

// agent runs one script a connection, and ends it with all that it started when the lab hangs up.
func agent(args []string) error {
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	fmt.Println("the machine is ready")
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go carryOut(conn)
	}
}

func carryOut(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	line, err := reader.ReadBytes('\n')
	if err != nil {
		return
	}
	var wanted order
	if err := json.Unmarshal(line, &wanted); err != nil {
		return
	}
	command := exec.Command("dash", "-c", wanted.Script)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, _ := command.StdoutPipe()
	stderr, _ := command.StderrPipe()
	answers := json.NewEncoder(conn)
	var turn sync.Mutex
	say := func(it answer) {
		turn.Lock()
		defer turn.Unlock()
		_ = answers.Encode(it)
	}
	if err := command.Start(); err != nil {
		code, text := 127, err.Error()
		say(answer{Line: &text, Error: true})
		say(answer{Exit: &code})
		return
	}
	go func() { // ends when the lab hangs up, or at the end of this connection
		_, _ = reader.ReadByte()
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	}()
	var both sync.WaitGroup
	for _, pipe := range []struct {
		lines   *bufio.Scanner
		isError bool
	}{{bufio.NewScanner(stdout), false}, {bufio.NewScanner(stderr), true}} {
		both.Add(1)
		go func() {
			defer both.Done()
			pipe.lines.Buffer(nil, 1<<20)
			for pipe.lines.Scan() {
				text := pipe.lines.Text()
				say(answer{Line: &text, Error: pipe.isError})
			}
		}()
	}
	both.Wait()
	code := exitCode(command.Wait())
	say(answer{Exit: &code})
}

// exitCode is -1 where a signal ended it.
func exitCode(err error) int {
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode()
	}
	return 0
}
