// Command guest is what the lab talks to inside of its virtual machine: an agent that runs what it is told, a watcher of a program's health, servers that answer with
// their own name, and clients that count which connections come through and which stay.
package main

import (
	"fmt"
	"os"
)

var commands = map[string]func(args []string) error{
	"agent":  agent,
	"get":    get,
	"health": health,
	"serve":  serve,
	"probe":  probe,
	"hold":   hold,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "guest: agent ADDRESS | get URL | health URL | serve NAME PROTOCOL/PORT… | probe MILLISECONDS TIMEOUT PROTOCOL/ADDRESS… | hold MILLISECONDS TIMEOUT PROTOCOL/ADDRESS…")
		os.Exit(64)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}
