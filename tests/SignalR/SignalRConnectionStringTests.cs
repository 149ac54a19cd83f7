namespace OllamaMax.SignalR;

public sealed class SignalRConnectionStringTests
{
    private const string Key = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEF==";

    [Theory]
    [InlineData($"Endpoint=https://x.service.signalr.net;AccessKey={Key};Version=1.0;", "https://x.service.signalr.net")]
    [InlineData($"Endpoint=https://x.service.signalr.net/;AccessKey={Key}", "https://x.service.signalr.net")]
    [InlineData($"Endpoint=http://localhost;Port=8888;AccessKey={Key};Version=1.0;", "http://localhost:8888")]
    [InlineData($" endpoint = http://10.0.0.5:9000 ; accesskey = {Key} ", "http://10.0.0.5:9000")]
    public void Parse_Good_ReadsEndpointAndKey(string text, string endpoint)
    {
        SignalRConnectionString connection = SignalRConnectionString.Parse(text);

        connection.Endpoint.ShouldBe(endpoint);
        connection.AccessKey.ShouldBe(Key);
        connection.ToString().ShouldBe($"Endpoint={endpoint}");
    }

    [Theory]
    [InlineData("", "no Endpoint")]
    [InlineData($"AccessKey={Key}", "no Endpoint")]
    [InlineData("Endpoint=https://x", "no AccessKey")]
    [InlineData("Endpoint=https://x;AccessKey=", "no AccessKey")]
    [InlineData("Endpoint=https://x;AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ01234", "shorter than 32 bytes")]
    [InlineData($"Endpoint=x.service.signalr.net;AccessKey={Key}", "not an http(s) address")]
    [InlineData($"Endpoint=ftp://x;AccessKey={Key}", "not an http(s) address")]
    [InlineData($"Endpoint=https://x/path;AccessKey={Key}", "without a path")]
    [InlineData($"Endpoint=https://x;Port=0;AccessKey={Key}", "not a port")]
    [InlineData($"Endpoint=https://x;Port=65536;AccessKey={Key}", "not a port")]
    [InlineData($"Endpoint=https://x;AccessKey={Key};Version=2.0", "version 2.0")]
    [InlineData($"Endpoint=https://x;Endpoint=https://y;AccessKey={Key}", "Endpoint twice")]
    [InlineData($"Endpoint=https://x;nonsense;AccessKey={Key}", "not Name=Value")]
    public void Parse_Bad_SaysWhatAndNeverTheKey(string text, string message)
    {
        string said = Should.Throw<FormatException>(() => SignalRConnectionString.Parse(text)).Message;

        said.ShouldContain(message);
        said.ShouldNotContain(Key.TrimEnd('='));
    }
}
