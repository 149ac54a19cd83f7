using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace OllamaMax.Security.Tests;

/// <summary>Requests that no client sends: shapes that servers and proxies read differently, and such as are to use up what there is.</summary>
public sealed class HostileRequestTests(KeyedSystemFixture local)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>
    /// Each is two requests to one who reads it one way, and one to another. Refused with a 400, or read as one and the connection closed: the second, which is let in, must never be answered.
    /// </summary>
    [Theory]
    [InlineData("two lengths", "Content-Length: 6\r\nContent-Length: 120\r\n")]
    [InlineData("a list of lengths", "Content-Length: 6, 120\r\n")]
    [InlineData("length and chunks", "Content-Length: 120\r\nTransfer-Encoding: chunked\r\n")]
    [InlineData("chunks under another name", "Content-Length: 6\r\nTransfer-Encoding: xchunked\r\n")]
    [InlineData("chunks twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")]
    [InlineData("space before the colon", "Content-Length : 120\r\nContent-Length: 6\r\n")]
    [InlineData("a folded header", "Content-Length:\r\n 6\r\n")]
    [InlineData("a signed length", "Content-Length: +6\r\n")]
    [InlineData("a length in hex", "Content-Length: 0x6\r\n")]
    [InlineData("a NUL in a header", "Content-Length: 6\r\nX-A: a\0b\r\n")]
    public async Task Smuggling_AShapeThatIsReadTwoWays_SecondRequestIsNotAnswered(string shape, string headers)
    {
        string smuggled = $"GET /api/tags HTTP/1.1\r\nHost: {local.System.BaseAddress.Authority}\r\nAuthorization: Bearer {local.Keys["user"]}\r\n\r\n";

        string answers = await ExchangeAsync(
            $"POST /api/generate HTTP/1.1\r\nHost: {local.System.BaseAddress.Authority}\r\n{headers}\r\n0\r\n\r\n{smuggled}");

        answers.ShouldNotContain("\"models\"", customMessage: shape);
        answers.ShouldSatisfyAllConditions(shape, () => (answers.Length == 0 || answers.StartsWith("HTTP/1.1 4", StringComparison.Ordinal)).ShouldBeTrue(answers));
    }

    [Theory]
    [InlineData("GET", 431, 40_000, 1)]
    [InlineData("GET", 431, 10, 500)]
    public async Task Headers_TooLargeOrTooMany_AreRefused(string method, int status, int length, int count)
    {
        StringBuilder request = new($"{method} /healthz HTTP/1.1\r\nHost: {local.System.BaseAddress.Authority}\r\n");
        for (int i = 0; i < count; i++)
            request.Append(System.Globalization.CultureInfo.InvariantCulture, $"X-{i}: {new string('a', length)}\r\n");

        ShouldBeRefused(await ExchangeAsync(request.Append("\r\n").ToString()), status);
    }

    [Fact]
    public async Task Line_Endless_IsRefused() =>
        ShouldBeRefused(await ExchangeAsync($"GET /{new string('a', 20_000)} HTTP/1.1\r\nHost: {local.System.BaseAddress.Authority}\r\n\r\n"), 414);

    /// <summary>Those that send their headers a byte at a time hold connections, and nobody else up; bodies that come too slowly are cut off.</summary>
    [Fact]
    public async Task SlowClients_ByTheHundred_HoldNobodyUp()
    {
        List<TcpClient> slow = [];
        try
        {
            for (int i = 0; i < 200; i++)
            {
                TcpClient client = new();
                slow.Add(client);
                await client.ConnectAsync(local.System.BaseAddress.Host, local.System.BaseAddress.Port, Cancellation);
                string beginning = i % 2 == 0
                    ? $"GET /healthz HTTP/1.1\r\nHost: {local.System.BaseAddress.Authority}\r\nX-Slow: "
                    : $"POST /api/generate HTTP/1.1\r\nHost: {local.System.BaseAddress.Authority}\r\nAuthorization: Bearer {local.Keys["user"]}\r\nContent-Length: 1000\r\n\r\n{{";
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(beginning), Cancellation);
            }

            (await local.StatusAsync(HttpMethod.Get, "/api/tags", local.Keys["user"])).ShouldBe(200);
            string cut = await ReadToEndAsync(slow[1].GetStream());

            (cut.Length == 0 || cut.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal)).ShouldBeTrue(cut);
        }
        finally
        {
            slow.ForEach(client => client.Dispose());
        }
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{\"a\":")]
    public async Task Json_NestedWithoutEnd_IsRefused(string opening)
    {
        string body = $$"""{"model":"demo","prompt":"hi","options":{{string.Concat(Enumerable.Repeat(opening, 200_000))}}""";

        using HttpResponseMessage response = await PostAsync(new ByteArrayContent(Encoding.UTF8.GetBytes(body)));

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync(Cancellation)).Length.ShouldBeLessThan(1000);
    }

    /// <summary>Of somebody who has shown nothing yet: JSON of many small parts takes twelve times its size once it is read.</summary>
    [Theory]
    [InlineData("/cluster/enrolments")]
    [InlineData("/cluster/workers/anybody/capabilities")]
    [InlineData("/cluster/jobs/any/claim")]
    public async Task Body_OfAWorkerThatNobodyKnows_IsNotReadBeyondWhatWorkersSend(string path)
    {
        string digests = string.Join(',', Enumerable.Repeat($"\"sha256:{new string('0', 64)}\"", 1000));
        string most = $$"""{"version":1,"models":[{{digests}}]""";

        (await StatusAsync(most + "}")).ShouldNotBe(413);
        (await StatusAsync($"{most},\"more\":[{string.Join(',', Enumerable.Repeat('1', 30_000))}]}}")).ShouldBe(413);

        Task<int> StatusAsync(string body) => local.StatusAsync(HttpMethod.Post, path, null, new StringContent(body));
    }

    /// <summary>Nothing is unpacked, so there is nothing to blow up: 100 MB of blanks are a few bytes that are no JSON.</summary>
    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task Body_Packed_IsNotUnpacked(string encoding)
    {
        using MemoryStream packed = new();
        await using (Stream packer = encoding == "gzip" ? new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true) : new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] blanks = new byte[1 << 20];
            blanks.AsSpan().Fill((byte)' ');
            for (int i = 0; i < 100; i++)
                await packer.WriteAsync(blanks, Cancellation);
        }
        using ByteArrayContent content = new(packed.ToArray());
        content.Headers.ContentEncoding.Add(encoding);

        using HttpResponseMessage response = await PostAsync(content);

        ((int)response.StatusCode).ShouldBeOneOf(400, 415);
    }

    /// <summary>With the status, unless the reset that follows it overtakes it: the connection ends while this side still sends.</summary>
    private static void ShouldBeRefused(string answers, int status)
    {
        if (answers.Length > 0)
            answers.ShouldStartWith($"HTTP/1.1 {status} ");
    }

    private Task<HttpResponseMessage> PostAsync(HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return local.SendAsync(HttpMethod.Post, "/api/generate", local.Keys["user"], content);
    }

    /// <summary>Sends it as it is, on a connection of its own, says that nothing more comes, and gives all that is answered.</summary>
    private async Task<string> ExchangeAsync(string request)
    {
        using TcpClient client = new();
        await client.ConnectAsync(local.System.BaseAddress.Host, local.System.BaseAddress.Port, Cancellation);
        NetworkStream stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), Cancellation);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Cut off while it still sends: what was answered before that is there all the same.
        }
        return await ReadToEndAsync(stream);
    }

    private static async Task<string> ReadToEndAsync(NetworkStream stream)
    {
        StringBuilder all = new();
        byte[] buffer = new byte[4096];
        try
        {
            while (await stream.ReadAsync(buffer, Cancellation) is > 0 and int read)
                all.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // Reset instead of closed.
        }
        return all.ToString();
    }
}
