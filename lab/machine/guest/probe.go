package main

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// attempt is one line of JSON: one connection, or one datagram with its answer.
type attempt struct {
	At       int64  `json:"at"` // milliseconds since the epoch, by the machine's clock
	Target   string `json:"target"`
	Answered string `json:"answered,omitempty"` // by which server
	Failed   string `json:"failed,omitempty"`
	Millis   int64  `json:"millis"`
}

// probe tries each target again and again, each try on a connection of its own, until it is ended: `probe 50 1000 tcp/10.1.0.1:30080`.
// With an interval of 0 each target is tried once.
func probe(args []string) error {
	interval, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	timeout, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	var turn sync.Mutex
	var all sync.WaitGroup
	once := func(target string) {
		defer all.Done()
		done := try(target, time.Duration(timeout)*time.Millisecond)
		turn.Lock()
		defer turn.Unlock()
		_ = out.Encode(done)
	}
	for {
		for _, target := range args[2:] {
			all.Add(1)
			go once(target)
		}
		if interval == 0 {
			all.Wait()
			return nil
		}
		time.Sleep(time.Duration(interval) * time.Millisecond)
	}
}

func try(target string, timeout time.Duration) attempt {
	return timed(target, func() (string, error) { return ask(target, timeout) })
}

func timed(target string, ask func() (string, error)) attempt {
	begun := time.Now()
	done := attempt{At: begun.UnixMilli(), Target: target}
	answered, err := ask()
	done.Millis = time.Since(begun).Milliseconds()
	if err != nil {
		done.Failed = reason(err)
		return done
	}
	done.Answered = strings.TrimSpace(answered)
	return done
}

func ask(target string, timeout time.Duration) (string, error) {
	protocol, address, _ := strings.Cut(target, "/")
	conn, err := net.DialTimeout(protocol+"4", address, timeout)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	// A datagram that is lost is sent again after a second, as TCP does with its first packet.
	patience := timeout
	if protocol == "udp" {
		patience = min(time.Second, timeout)
	}
	for end := time.Now().Add(timeout); ; {
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write([]byte("who\n")); err != nil {
			return "", err
		}
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if it, ok := err.(net.Error); ok && it.Timeout() && time.Now().Before(end) {
			continue
		}
		return answer, err
	}
}

// reason is short and the same for the same cause: "timeout", "connection refused", "reset by peer".
func reason(err error) string {
	if it, ok := err.(net.Error); ok && it.Timeout() {
		return "timeout"
	}
	text := err.Error()
	if at := strings.LastIndex(text, ": "); at >= 0 {
		return text[at+2:]
	}
	return text
}
