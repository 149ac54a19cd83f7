// The official JavaScript client, unmodified. Prints one JSON line per event; leaves when its standard input closes.
// Arguments: url, transport (WebSockets, ServerSentEvents, LongPolling or All), token (absent: the url negotiates).
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";

const [url, transport, token] = process.argv.slice(2);
const print = (event, value) => console.log(JSON.stringify({ event, value }));
const options = token ? { accessTokenFactory: () => token } : {};
if (transport !== "All") options.transport = HttpTransportType[transport];

const connection = new HubConnectionBuilder().withUrl(url, options).configureLogging(LogLevel.None).build();
connection.on("message", (...values) => print("message", values));
connection.onclose((error) => print("closed", String(error)));
process.stdin.on("data", (line) => connection.send(String(line).trim(), 1)).on("end", () => process.exit(0));
try {
  await connection.start();
  print("connected", connection.connectionId);
} catch (error) {
  print("refused", String(error));
}
