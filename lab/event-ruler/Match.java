import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.event.ruler.GenericMachine;

/**
 * Which patterns each event matches, by the matcher that EventBridge itself runs. Reads {"patterns": {NAME: PATTERN}, "events":
 * [EVENT]} from standard input, writes [[NAME]], one list for each event. Ends with an error where a pattern is none.
 */
public class Match {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    JsonNode input = json.readTree(System.in);
    GenericMachine<String> machine = new GenericMachine<>();
    for (Map.Entry<String, JsonNode> it : input.get("patterns").properties())
      machine.addRule(it.getKey(), it.getValue().toString());
    List<List<String>> matched = new ArrayList<>();
    for (JsonNode event : input.get("events")) {
      List<String> names = new ArrayList<>(machine.rulesForJSONEvent(event.toString()));
      names.sort(null);
      matched.add(names);
    }
    json.writeValue(System.out, matched);
  }
}
