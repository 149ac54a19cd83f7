using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Streaming;

namespace OllamaMax.SignalR;

public sealed class SignalRSenderTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly SignalRSender _sender;
    private WebApplication? _service;

    public SignalRSenderTests() => _sender = new(_time);

    [Fact]
    public async Task SendAsync_Taken_RequestIsAsDocumented()
    {
        string? method = null, target = null, authorization = null, type = null, body = null;
        await StartAsync(async context =>
        {
            (method, target) = (context.Request.Method, context.Request.Path + context.Request.QueryString);
            (authorization, type) = (context.Request.Headers.Authorization, context.Request.ContentType);
            using StreamReader reader = new(context.Request.Body);
            body = await reader.ReadToEndAsync();
            context.Response.StatusCode = 202;
        });

        (await SendAsync(new("ünï", 1))).ShouldBeOfType<SendOutcome.Sent>();

        method.ShouldBe("POST");
        target.ShouldBe("/api/hubs/jobs/users/edge-1/:send?api-version=2022-06-01");
        authorization.ShouldBe("Bearer the-token");
        type.ShouldBe("application/json; charset=utf-8");
        body.ShouldBe("""{"target":"chunks","arguments":[{"name":"\u00FCn\u00EF","count":1}]}""");
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("0", 0)]
    [InlineData("Tue, 01 Jan 2030 00:00:07 GMT", 7)]
    [InlineData("Mon, 31 Dec 2029 00:00:00 GMT", 0)]
    [InlineData(null, 1)]
    public async Task SendAsync_TooMany_ThrottledWithRetryAfter(string? header, int seconds)
    {
        await StartAsync(context =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = header;
            return Task.CompletedTask;
        });

        (await SendAsync(new("x", 1))).ShouldBe(new SendOutcome.Throttled(TimeSpan.FromSeconds(seconds)));
    }

    [Theory]
    [InlineData(401)]
    [InlineData(413)]
    [InlineData(503)]
    [InlineData(307)]
    public async Task SendAsync_OtherStatus_FailedWithStatusAndDetail(int status)
    {
        await StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(new string('x', 10_000));
        });

        SendOutcome.Failed failed = (await SendAsync(new("x", 1))).ShouldBeOfType<SendOutcome.Failed>();

        failed.Status.ShouldBe((HttpStatusCode)status);
        failed.Detail.Length.ShouldBe(500);
    }

    [Fact]
    public async Task SendAsync_ConnectionCut_Unreachable()
    {
        await StartAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        (await SendAsync(new("x", 1))).ShouldBeOfType<SendOutcome.Unreachable>();
    }

    [Fact]
    public async Task SendAsync_NobodyListens_Unreachable()
    {
        using Socket taken = new(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        ReplyCapability to = new($"http://{taken.LocalEndPoint}/api/hubs/jobs/:send", "t", default);

        SendOutcome outcome = await _sender.SendAsync(to, "chunks", new("x", 1), SenderJson.Default.Probe, TestContext.Current.CancellationToken);

        outcome.ShouldBeOfType<SendOutcome.Unreachable>();
    }

    [Fact]
    public async Task SendAsync_CallerGivesUp_Throws()
    {
        using CancellationTokenSource cancel = new();
        await StartAsync(context =>
        {
            cancel.Cancel();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        });

        await Should.ThrowAsync<OperationCanceledException>(() => SendAsync(new("x", 1), cancel.Token));
    }

    public async ValueTask DisposeAsync()
    {
        _sender.Dispose();
        if (_service is not null)
            await _service.DisposeAsync();
    }

    private async Task StartAsync(RequestDelegate answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _service = builder.Build();
        _service.Run(answer);
        await _service.StartAsync(TestContext.Current.CancellationToken);
    }

    private Task<SendOutcome> SendAsync(Probe probe, CancellationToken? cancellationToken = null) => _sender.SendAsync(
        new(_service!.Urls.Single() + "/api/hubs/jobs/users/edge-1/:send", "the-token", default),
        "chunks",
        probe,
        SenderJson.Default.Probe,
        cancellationToken ?? TestContext.Current.CancellationToken);
}

internal sealed record Probe(string Name, int Count);

[JsonSerializable(typeof(Probe))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class SenderJson : JsonSerializerContext;
