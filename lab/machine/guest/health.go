package main

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// get asks a URL twice a second until it answers with success, and prints the answer. Debian's static busybox has a wget that dies of a
// segmentation fault on every URL.
func get(args []string) error {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ; ; time.Sleep(500 * time.Millisecond) {
		response, err := client.Get(args[0])
		if err != nil {
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode/100 == 2 {
			fmt.Println(string(body))
			return nil
		}
	}
}

// health prints `ready` or `not ready`, each time it changed, by what a URL answers five times a second.
func health(args []string) error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for last := ""; ; time.Sleep(200 * time.Millisecond) {
		now := "not ready"
		if response, err := client.Get(args[0]); err == nil {
			response.Body.Close()
			if response.StatusCode/100 == 2 {
				now = "ready"
			}
		}
		if now != last {
			fmt.Println(now)
			last = now
		}
	}
}
