using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace OllamaMax.TestKit;

/// <summary>Somebody who is told by webhook: hands on what comes, and answers as the test says.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<(string Id, long Timestamp, string Signature, byte[] Body)> _received = Channel.CreateUnbounded<(string, long, string, byte[])>();

    private WebhookReceiver(WebApplication app) => _app = app;

    public string Url => $"{_app.Urls.Single()}/hook";

    /// <summary>Statuses to answer with, one after the other; 204 when there is none.</summary>
    public ConcurrentQueue<int> Statuses { get; } = [];

    public static async Task<WebhookReceiver> StartAsync(CancellationToken cancellationToken)
    {
        WebApplication app = LoopbackServer.Build();
        WebhookReceiver receiver = new(app);
        app.Run(receiver.TakeAsync);
        await app.StartAsync(cancellationToken);
        return receiver;
    }

    public async Task<(string Id, long Timestamp, string Signature, byte[] Body)> NextAsync(CancellationToken cancellationToken) => await _received.Reader.ReadAsync(cancellationToken);

    public bool HasMore => _received.Reader.TryPeek(out _);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        IHeaderDictionary headers = context.Request.Headers;
        context.Response.StatusCode = Statuses.TryDequeue(out int status) ? status : StatusCodes.Status204NoContent;
        _received.Writer.TryWrite((headers["webhook-id"].ToString(), long.Parse(headers["webhook-timestamp"].ToString(), null), headers["webhook-signature"].ToString(), body.ToArray()));
    }
}
