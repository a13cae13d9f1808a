package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const heldQuestion = "hold\n"

// exchange is one line of JSON: a question on a connection that stays open, and its answer. The last one of a connection that broke has failed.
type exchange struct {
	Stream int `json:"stream"`
	attempt
}

// hold opens one connection to each target and keeps it, and asks on it again and again until it is ended: `hold 500 9000 tcp/10.1.0.1:30080`.
// A connection that breaks, or on which no answer comes in time, is not made anew.
func hold(args []string) error {
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
	for stream, target := range args[2:] {
		go keep(target, time.Duration(interval)*time.Millisecond, time.Duration(timeout)*time.Millisecond, func(done attempt) {
			turn.Lock()
			defer turn.Unlock()
			_ = out.Encode(exchange{stream, done})
		})
	}
	select {}
}

func keep(target string, interval, timeout time.Duration, tell func(attempt)) {
	var conn net.Conn
	var lines *bufio.Reader
	ask := func() (string, error) {
		if conn == nil {
			protocol, address, _ := strings.Cut(target, "/")
			made, err := net.DialTimeout(protocol+"4", address, timeout)
			if err != nil {
				return "", err
			}
			conn, lines = made, bufio.NewReader(made)
		}
		_ = conn.SetDeadline(time.Now().Add(timeout))
		if _, err := fmt.Fprint(conn, heldQuestion); err != nil {
			return "", err
		}
		return lines.ReadString('\n')
	}
	for {
		done := timed(target, ask)
		tell(done)
		if done.Failed != "" {
			return
		}
		time.Sleep(interval)
	}
}
