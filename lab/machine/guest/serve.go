package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
)

// serve answers each connection and each datagram with the server's name: `serve pod-a tcp/8080 udp/8080`. A connection that asks to be held
// is answered line by line until the client ends it.
func serve(args []string) error {
	name, ends := args[0], make(chan error)
	for _, where := range args[1:] {
		protocol, port, _ := strings.Cut(where, "/")
		switch protocol {
		case "tcp":
			listener, err := net.Listen("tcp4", ":"+port)
			if err != nil {
				return err
			}
			go func() { ends <- serveStream(listener, name) }()
		case "udp":
			conn, err := net.ListenPacket("udp4", ":"+port)
			if err != nil {
				return err
			}
			go func() { ends <- servePackets(conn, name) }()
		default:
			return fmt.Errorf("%q is neither tcp nor udp", where)
		}
	}
	fmt.Println("serving")
	return <-ends
}

func serveStream(listener net.Listener, name string) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			// The question is read, or closing the connection would reset it.
			lines := bufio.NewReader(conn)
			for asked, held := lines.ReadString('\n'); ; asked, held = lines.ReadString('\n') {
				_, _ = fmt.Fprintln(conn, name)
				if held != nil || asked != heldQuestion {
					return
				}
			}
		}()
	}
}

func servePackets(conn net.PacketConn, name string) error {
	buffer := make([]byte, 1500)
	for {
		_, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return err
		}
		_, _ = conn.WriteTo([]byte(name+"\n"), from)
	}
}
