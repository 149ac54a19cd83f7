using System.Net;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Tests.Http;

public sealed class ErrorTests
{
    private const string Hello = """{"model":"demo","messages":[{"role":"user","content":"hi"}]}""";

    [Theory]
    [InlineData("{", "invalid JSON")]
    [InlineData("", "missing request body")]
    [InlineData("[]", "must be a JSON object")]
    [InlineData("\"x\"", "must be a JSON object")]
    [InlineData("{} {}", "invalid JSON")]
    [InlineData("{}", "model is required")]
    public async Task Chat_BadBody_BadRequest(string body, string message)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", body);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain(message);
    }

    [Fact]
    public async Task Chat_BrokenUtf8_BadRequest()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        using ByteArrayContent body = new([.. "{\"model\":\""u8, 0xC3, 0x28, .. "\"}"u8]);

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Post, "/api/chat", body);

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldBe("request body is not valid UTF-8");
    }

    [Fact]
    public async Task Chat_DeepNesting_BadRequest()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/chat", "{\"options\":" + new string('[', 100_000) + new string(']', 100_000) + "}");

        (await response.ErrorAsync(HttpStatusCode.BadRequest)).ShouldContain("depth");
    }

    [Fact]
    public async Task Chat_CompressedBody_UnsupportedMediaType()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        using ByteArrayContent body = new([1, 2]) { Headers = { ContentEncoding = { "gzip" } } };

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Post, "/api/chat", body);

        (await response.ErrorAsync(HttpStatusCode.UnsupportedMediaType)).ShouldContain("gzip");
    }

    [Fact]
    public async Task Chat_UnknownModel_NotFound()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", """{"model":"x","messages":[{"role":"user","content":""}]}""");

        (await response.ErrorAsync(HttpStatusCode.NotFound)).ShouldBe("model 'x' not found");
    }

    [Fact]
    public async Task AnyPath_Unknown_NotFound()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/api/nothing");

        (await response.ErrorAsync(HttpStatusCode.NotFound)).ShouldBe("path '/api/nothing' not found");
    }

    [Fact]
    public async Task Chat_WrongMethod_NotAllowedNamingTheRightOnes()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/api/chat");

        await response.ErrorAsync(HttpStatusCode.MethodNotAllowed);
        response.Content.Headers.Allow.ShouldBe(["POST"]);
    }

    [Theory]
    [InlineData(JobErrorKind.Invalid, HttpStatusCode.BadRequest)]
    [InlineData(JobErrorKind.Busy, HttpStatusCode.ServiceUnavailable)]
    [InlineData(JobErrorKind.Unavailable, HttpStatusCode.ServiceUnavailable)]
    [InlineData(JobErrorKind.DeadlineExceeded, HttpStatusCode.GatewayTimeout)]
    [InlineData(JobErrorKind.Failed, HttpStatusCode.InternalServerError)]
    [InlineData(JobErrorKind.Cancelled, (HttpStatusCode)499)]
    public async Task Chat_JobFailsBeforeAcceptance_ItsStatus(JobErrorKind kind, HttpStatusCode status)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Fail(kind, "because", TimeSpan.FromSeconds(2.1));

        using HttpResponseMessage streamed = await edge.PostAsync("/api/chat", Hello);
        using HttpResponseMessage whole = await edge.PostAsync("/api/chat", Hello[..^1] + ""","stream":false}""");

        (await streamed.ErrorAsync(status)).ShouldBe("because");
        (await whole.ErrorAsync(status)).ShouldBe("because");
        streamed.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(3));
    }

    /// <summary>Agents make their conversation shorter when they hear these words, each those of its own API.</summary>
    [Theory]
    [InlineData("/api/chat", """{"error":"the prompt has 3001 tokens and exceeds the context length of 1024"}""")]
    [InlineData("/v1/chat/completions", """
        {"error":{"message":"This model's maximum context length is 1024 tokens. However, your messages resulted in 3001 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}
        """)]
    [InlineData("/v1/messages", """{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 3001 tokens > 1024 maximum"},"request_id":"me"}""")]
    public async Task PromptTooLong_IsSaidAsTheApiSaysIt(string path, string expected)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Fail(new JobError(JobErrorKind.Invalid, "the prompt has 3001 tokens and exceeds the context length of 1024") { Excess = new(3001, 1024) });

        using HttpResponseMessage response = await edge.PostAsync(path, Hello[..^1] + ""","stream":false,"max_tokens":1}""", ("x-request-id", "me"));

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.TextAsync()).ShouldBe(expected.Trim());
    }

    [Fact]
    public async Task Chat_JobFailsInTheMiddle_NotStreamed_ItsStatus()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Say("half").Fail(JobErrorKind.Failed, "gone");

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Hello[..^1] + ""","stream":false}""");

        (await response.ErrorAsync(HttpStatusCode.InternalServerError)).ShouldBe("gone");
    }

    [Fact]
    public async Task Chat_UnexpectedException_RequestIdToTheClientTheRestToTheLog()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Models.Fault = new InvalidOperationException("secret detail");

        using HttpResponseMessage response = await edge.PostAsync("/api/chat", Hello, ("x-request-id", "find-me"));

        (await response.ErrorAsync(HttpStatusCode.InternalServerError)).ShouldBe("internal error (request id find-me)");
        edge.Logs.Lines.ShouldContain(line =>
            line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("request find-me") && line.Contains("secret detail"));
    }
}
