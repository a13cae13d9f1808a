package main

import (
	"fmt"
	"reflect"

	"github.com/projectcalico/calico/felix/config"
)

// passage is a configuration and what is to become of it.
type passage struct {
	From configuration `json:"from"`
	To   configuration `json:"to"`
}

// changed has the parameters that Felix would find changed, as it calls them.
type changed struct {
	Parameters []string `json:"parameters"`
	Error      string   `json:"error,omitempty"`
}

// changes goes through every parameter with Felix's own comparison, by which it decides to restart.
func changes(asked passage) changed {
	from, err := configured(asked.From)
	if err != nil {
		return changed{Error: fmt.Sprint("from: ", err)}
	}
	to, err := configured(asked.To)
	if err != nil {
		return changed{Error: fmt.Sprint("to: ", err)}
	}
	parameters := []string{}
	before, after := reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem()
	for i := 0; i < before.NumField(); i++ {
		field := before.Type().Field(i)
		if field.Tag.Get("config") == "" {
			continue
		}
		if !config.SafeParamsEqual(before.Field(i).Interface(), after.Field(i).Interface()) {
			parameters = append(parameters, field.Name)
		}
	}
	return changed{Parameters: parameters}
}

func configured(asked configuration) (*config.Config, error) {
	felix := config.New()
	if stage, _, err := load(felix, asked); err != nil {
		return nil, fmt.Errorf("%s: %w", stage, err)
	}
	return felix, nil
}
