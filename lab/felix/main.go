// Command felix is Calico's own Felix, started as calico-node starts it, with nothing of calico-node around it.
package main

import (
	"os"

	"github.com/projectcalico/calico/felix/buildinfo"
	"github.com/projectcalico/calico/felix/daemon"
)

func main() {
	// A file that is not there is what Felix finds on most nodes: its configuration comes from the environment and the API server.
	configFile := "/etc/calico/felix.cfg"
	if len(os.Args) > 1 {
		configFile = os.Args[1]
	}
	daemon.Run(configFile, buildinfo.GitVersion, buildinfo.GitRevision, buildinfo.BuildDate)
}
