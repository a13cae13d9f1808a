package main

import (
	"fmt"
	"net/http"
	"time"
)

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
