using System.Net;
using System.Net.Sockets;
using System.Text;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Http;

public sealed class BodyLimitTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Chat_BodyOverTheLimit_ClientReadsTheAnswer(bool isChunked)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.MaxBodyBytes = 1 << 20);
        using HttpContent body = new ByteArrayContent(new byte[5 << 20]);

        using HttpRequestMessage request = new(HttpMethod.Post, "/api/chat") { Content = body };
        request.Headers.TransferEncodingChunked = isChunked;
        using HttpResponseMessage response = await edge.Client.SendAsync(request, TestContext.Current.CancellationToken);

        (await response.ErrorAsync(HttpStatusCode.RequestEntityTooLarge)).ShouldBe("request body is larger than 1048576 bytes");
    }

    [Fact]
    public async Task Chat_BodyAtTheLimit_IsRead()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.MaxBodyBytes = 1 << 20);
        string body = """{"model":"nope"}""".PadRight(1 << 20);

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", body);

        await response.ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Chat_ClientWaitsForContinue_AnsweredWithoutItsSending()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, edge.Client.BaseAddress!.Port, TestContext.Current.CancellationToken);
        await using NetworkStream stream = client.GetStream();

        await stream.WriteAsync("""
            POST /api/chat HTTP/1.1
            Host: localhost
            Expect: 100-continue
            Content-Length: 50000000


            """.ReplaceLineEndings("\r\n").Select(c => (byte)c).ToArray(), TestContext.Current.CancellationToken);

        using StreamReader reader = new(stream, Encoding.ASCII);
        List<string> head = [];
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line)
            head.Add(line);
        head[0].ShouldBe("HTTP/1.1 413 Payload Too Large");
        head.ShouldContain("Connection: close");
    }
}
