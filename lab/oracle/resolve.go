package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	apiv3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	kjson "sigs.k8s.io/json"

	"github.com/projectcalico/calico/felix/config"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/k8s/resources"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/model"
	"github.com/projectcalico/calico/libcalico-go/lib/backend/syncersv1/updateprocessors"
)

// configuration is what bears on Felix on one node.
type configuration struct {
	// Objects are FelixConfigurations as the API server holds them.
	Objects []json.RawMessage `json:"objects"`
	// Env has NAME=value, in the order of the process environment.
	Env      []string          `json:"env"`
	File     map[string]string `json:"file"`
	NodeName string            `json:"nodeName"`
	// V3 says that the objects were read through projectcalico.org/v3, where the metadata is merged already.
	V3 bool `json:"v3"`
}

type resolution struct {
	Outcome string            `json:"outcome"`
	Values  map[string]any    `json:"values,omitempty"`
	Sources map[string]string `json:"sources,omitempty"`
	Raw     map[string]string `json:"raw,omitempty"`
	// Warnings are "kind parameter source".
	Warnings []string `json:"warnings,omitempty"`
	// Uncertain are the parameters that came out differently when the same was asked again.
	Uncertain []string `json:"uncertain,omitempty"`
	Stage     string   `json:"stage,omitempty"`
	Error     string   `json:"error,omitempty"`
}

var parameters = []string{
	"KubeNodePortRanges", "IptablesMarkMask", "BPFEnabled", "WireguardEnabled", "WireguardEnabledV6",
	"InterfaceExclude", "DefaultEndpointToHostAction", "UseInternalDataplaneDriver",
}

// Felix ranges over Go maps, so what depends on their order shows only when it is asked again: often where one name
// is spelled in several ways in one place, the only known cause, and a few times everywhere.
const (
	repetitions      = 3
	repetitionsOften = 48
)

func resolveOften(asked configuration) resolution {
	first, spellings := resolve(asked)
	if first.Outcome != "ok" {
		return first
	}
	rounds := repetitions
	if spellings {
		rounds = repetitionsOften
	}
	uncertain := map[string]bool{}
	for i := 1; i < rounds; i++ {
		again, _ := resolve(asked)
		for _, name := range parameters {
			if !reflect.DeepEqual(first.Values[name], again.Values[name]) {
				uncertain[name] = true
			}
		}
	}
	for _, name := range parameters {
		if uncertain[name] {
			first.Outcome = "nondeterministic"
			first.Uncertain = append(first.Uncertain, name)
			delete(first.Values, name)
		}
	}
	return first
}

// resolve does what Felix does when it starts. It also tells whether a layer spells one name in several ways.
func resolve(asked configuration) (resolution, bool) {
	heard := listen()
	defer heard.stop()
	felix := config.New()
	stage, spellings, err := load(felix, asked)
	if err != nil {
		return resolution{Outcome: "error", Stage: stage, Error: err.Error()}, false
	}
	return heard.told(felix), spellings
}

// load gives Felix its configuration, layer by layer; where that fails, it tells which.
func load(felix *config.Config, asked configuration) (stage string, spellings bool, err error) {
	take := func(values map[string]string, source config.Source) error {
		spellings = spellings || severalSpellings(values)
		stage = source.String()
		_, err := felix.UpdateFrom(values, source)
		return err
	}
	if err := take(config.LoadConfigFromEnvironment(asked.Env), config.EnvironmentVariable); err != nil {
		return stage, spellings, err
	}
	if err := take(asked.File, config.ConfigFile); err != nil {
		return stage, spellings, err
	}
	global, err := read(asked, "default")
	if err != nil {
		return "read", spellings, err
	}
	host, err := read(asked, "node."+asked.NodeName)
	if err != nil {
		return "read", spellings, err
	}
	if err := take(global, config.DatastoreGlobal); err != nil {
		return stage, spellings, err
	}
	return stage, spellings, take(host, config.DatastorePerHost)
}

func severalSpellings(values map[string]string) bool {
	seen := map[string]bool{}
	for name := range values {
		lower := strings.ToLower(name)
		if seen[lower] {
			return true
		}
		seen[lower] = true
	}
	return false
}

// read does what Felix's client and its start-up do with the object of that name.
func read(asked configuration, name string) (map[string]string, error) {
	values := map[string]string{}
	for _, raw := range asked.Objects {
		var named struct {
			Metadata struct{ Name string } `json:"metadata"`
		}
		if err := json.Unmarshal(raw, &named); err != nil || named.Metadata.Name != name {
			continue
		}
		var object apiv3.FelixConfiguration
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, &object); err != nil {
			return nil, err
		}
		if !asked.V3 {
			if err := resources.ConvertK8sResourceToCalicoResource(&object); err != nil {
				return nil, err
			}
		}
		kvs, err := updateprocessors.NewFelixConfigUpdateProcessor().Process(&model.KVPair{
			Key: model.ResourceKey{Kind: apiv3.KindFelixConfiguration, Name: name}, Value: &object,
		})
		if err != nil {
			return nil, err
		}
		for _, kv := range kvs {
			keep(values, kv)
		}
	}
	return values, nil
}

func keep(values map[string]string, kv *model.KVPair) {
	value, set := kv.Value.(string)
	if !set {
		return
	}
	switch key := kv.Key.(type) {
	case model.GlobalConfigKey:
		values[key.Name] = value
	case model.HostConfigKey:
		values[key.Name] = value
	}
}

// valueOf gives a field of Felix's configuration in a form that JSON can hold.
func valueOf(felix *config.Config, name string) any {
	switch value := reflect.ValueOf(felix).Elem().FieldByName(name); name {
	case "KubeNodePortRanges":
		ranges := []string{}
		for _, port := range felix.KubeNodePortRanges {
			ranges = append(ranges, fmt.Sprintf("%d:%d", port.MinPort, port.MaxPort))
		}
		return ranges
	case "InterfaceExclude":
		patterns := []string{}
		for _, pattern := range felix.InterfaceExclude {
			patterns = append(patterns, pattern.String())
		}
		return patterns
	default:
		return value.Interface()
	}
}
