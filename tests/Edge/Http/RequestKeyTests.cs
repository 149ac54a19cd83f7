using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Http;

public sealed class RequestKeyTests
{
    private const string Secret = "omx_1_s3cret";

    [Theory]
    [InlineData("Authorization", "Bearer omx_1_s3cret")]
    [InlineData("authorization", "bearer  omx_1_s3cret ")]
    [InlineData("x-api-key", "omx_1_s3cret")]
    [InlineData("Authorization", "Basic bmFtZTpvbXhfMV9zM2NyZXQ=")]
    public void Read_EachHeader_HasTheKey(string header, string value) => Read((header, value)).ShouldBe(Secret);

    [Theory]
    [InlineData("Authorization", "")]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("Authorization", "Basic bmFtZTo=")]
    [InlineData("x-api-key", " ")]
    public void Read_EmptyKey_IsNone(string header, string value) => Read((header, value)).ShouldBeNull();

    [Fact]
    public void Read_SeveralPlaces_PathThenAuthorizationThenHeader()
    {
        DefaultHttpContext context = Context(("x-api-key", "header"));
        Read(context).ShouldBe("header");
        context.Request.Headers.Authorization = "Bearer authorization";
        Read(context).ShouldBe("authorization");
        context.Features.Set(new KeyInPath("path"));
        Read(context).ShouldBe("path");
    }

    [Theory]
    [InlineData("Authorization", "Digest omx_1_s3cret", "Authorization must be Bearer or Basic")]
    [InlineData("Authorization", "Bearer omx 1_s3cret", "the key in Authorization must be 1 to 8192 visible ASCII characters")]
    [InlineData("Authorization", "Basic omx_1_s3cret", "Authorization: Basic must be name:password in base64, with the key as the password")]
    [InlineData("Authorization", "Basic b214XzFfczNjcmV0", "Authorization: Basic must be name:password in base64, with the key as the password")]
    [InlineData("x-api-key", "omx_1_s3crét", "the key in x-api-key must be 1 to 8192 visible ASCII characters")]
    public void Read_Malformed_SaysWhatAndNotTheKey(string header, string value, string message)
    {
        RequestKey.Read(Context((header, value)), out RequestKey? key).ShouldBe(new ApiError(401, message));

        key.ShouldBeNull();
    }

    [Fact]
    public void Read_TooLongOrTwice_IsMalformed()
    {
        DefaultHttpContext twice = new();
        twice.Request.Headers["x-api-key"] = new(["one", "two"]);

        RequestKey.Read(Context(("x-api-key", new('k', 8193))), out _)!.Status.ShouldBe(401);
        RequestKey.Read(twice, out _)!.Message.ShouldBe("the key in x-api-key is given more than once");
    }

    [Theory]
    [InlineData("/api/tags", """{"error":"Authorization must be Bearer or Basic"}""")]
    [InlineData("/v1/models", """{"error":{"message":"Authorization must be Bearer or Basic","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}""")]
    public async Task AnyRequest_MalformedKey_UnauthorizedInTheApisShape(string path, string body)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, path, null, ("Authorization", $"Digest {Secret}"));

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await response.TextAsync()).ShouldBe(body);
    }

    [Fact]
    public async Task KeyInPath_ByDefault_IsAPathThatIsNotThereAndNotRepeated()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, $"/k/{Secret}/api/version");

        (await response.ErrorAsync(HttpStatusCode.NotFound)).ShouldBe("path '/k/…' not found");
    }

    [Theory]
    [InlineData("/k/omx_1_s3cret/api/version?x=1", HttpStatusCode.OK)]
    [InlineData("/k/omx_1_s3cret/nothing%20here", HttpStatusCode.NotFound)]
    [InlineData("/k/omx_1_s3cret", HttpStatusCode.OK)]
    [InlineData("/k/omx_1_s3cr%C3%A9t/api/version", HttpStatusCode.Unauthorized)]
    [InlineData("/k//api/version", HttpStatusCode.Unauthorized)]
    public async Task KeyInPath_WhereTheHostTakesIt_IsOffThePathAndInNoLog(string path, HttpStatusCode status)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(services: services => services.AddKeysInPath());

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, path);

        response.StatusCode.ShouldBe(status);
        (await response.TextAsync()).ShouldNotContain("_s3cr");
        edge.Logs.Lines.ShouldContain(line => line.Contains("Request starting", StringComparison.Ordinal));
        edge.Logs.Lines.ShouldAllBe(line => !line.Contains("_s3cr", StringComparison.Ordinal));
    }

    [Fact]
    public async Task KeyInPath_OpenAIsBaseUrl_ErrorsHaveItsShapeAndTheNextRequestHasNoKey()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.TrustLoopback = false, services => services.AddKeysInPath());

        using HttpResponseMessage known = await edge.SendAsync(HttpMethod.Get, $"/k/{Secret}/v1/models");
        string unknownKey = await known.TextAsync();
        using HttpResponseMessage next = await edge.SendAsync(HttpMethod.Get, "/v1/models");

        Message(unknownKey).ShouldBe("unauthorized: the key is not known");
        Message(await next.TextAsync()).ShouldBe("unauthorized: send a key, as Authorization: Bearer or x-api-key");

        static string? Message(string body) => JsonElement.Parse(body).GetProperty("error").GetProperty("message").GetString();
    }

    [Fact]
    public async Task AnyHeader_Key_IsInNoLog()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync(options => options.TrustLoopback = false);
        string basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"name:{Secret}"));

        foreach (string authorization in (string[])[$"Bearer {Secret}", $"Basic {basic}"])
        {
            using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/api/tags", null, ("Authorization", authorization), ("x-api-key", Secret));
            (await response.ErrorAsync(HttpStatusCode.Unauthorized)).ShouldBe("unauthorized: the key is not known");
        }

        edge.Logs.Lines.ShouldNotBeEmpty();
        edge.Logs.Lines.ShouldAllBe(line => !line.Contains(Secret, StringComparison.Ordinal) && !line.Contains(basic, StringComparison.Ordinal));
    }

    private static string? Read(params (string Name, string Value)[] headers) => Read(Context(headers));

    private static string? Read(HttpContext context)
    {
        RequestKey.Read(context, out RequestKey? key).ShouldBeNull();
        key?.ToString().ShouldBe("(a key)");
        return key?.Value;
    }

    private static DefaultHttpContext Context(params (string Name, string Value)[] headers)
    {
        DefaultHttpContext context = new();
        foreach ((string name, string value) in headers)
            context.Request.Headers[name] = value;
        return context;
    }
}
