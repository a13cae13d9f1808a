package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/projectcalico/calico/felix/config"
)

// hearing is what Felix's configuration code says in its log: there alone it tells which layer counted and what it
// refused.
type hearing struct {
	entries []*logrus.Entry
}

func listen() *hearing {
	heard := &hearing{}
	logrus.StandardLogger().ReplaceHooks(logrus.LevelHooks{})
	logrus.AddHook(heard)
	return heard
}

func (h *hearing) stop() { logrus.StandardLogger().ReplaceHooks(logrus.LevelHooks{}) }

func (h *hearing) Levels() []logrus.Level {
	return []logrus.Level{logrus.ErrorLevel, logrus.WarnLevel, logrus.InfoLevel}
}

func (h *hearing) Fire(entry *logrus.Entry) error {
	h.entries = append(h.entries, entry)
	return nil
}

var (
	parsed  = regexp.MustCompile(`(?s)^Parsed value for (\w+): .* \(from ([^()]*(?:\([^()]*\))?)\)$`)
	skipped = regexp.MustCompile(`^Skipping config value for (\w+) from `)
	refused = regexp.MustCompile(`config parameter (\w+);`)
)

// told gives the values of Felix's configuration with what was heard about them.
func (h *hearing) told(felix *config.Config) resolution {
	answer := resolution{Outcome: "ok", Values: map[string]any{}, Sources: map[string]string{}, Raw: map[string]string{}}
	raw := felix.RawValues()
	for _, name := range parameters {
		answer.Values[name] = valueOf(felix, name)
		if text, set := raw[name]; set {
			answer.Raw[name] = text
		}
	}
	seen := map[string]bool{}
	for at, entry := range h.entries {
		if warning := warningOf(entry); warning != "" && !seen[warning] {
			seen[warning] = true
			answer.Warnings = append(answer.Warnings, warning)
		}
		found := parsed.FindStringSubmatch(entry.Message)
		if found == nil {
			continue
		}
		next := skipped.FindStringSubmatch(h.messageAt(at + 1))
		if next == nil || next[1] != found[1] {
			answer.Sources[found[1]] = found[2]
		}
	}
	return answer
}

func (h *hearing) messageAt(at int) string {
	if at >= len(h.entries) {
		return ""
	}
	return h.entries[at].Message
}

func warningOf(entry *logrus.Entry) string {
	switch {
	case entry.Message == "Replacing invalid value with default":
		name := refused.FindStringSubmatch(fmt.Sprint(entry.Data["error"]))
		if name == nil {
			return ""
		}
		return fmt.Sprintf("invalid %s %v", name[1], entry.Data["source"])
	case strings.HasPrefix(entry.Message, "Ignoring empty configuration parameter"):
		return fmt.Sprintf("empty %v %v", entry.Data["name"], entry.Data["source"])
	default:
		return ""
	}
}
