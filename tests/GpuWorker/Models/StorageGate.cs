using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OllamaMax.Storage;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>
/// Stands before blob storage, passes everything on, counts the pieces of weights that are asked for, and lets a test hold, refuse, change or cut them. Signatures are good here too: they are
/// of paths.
/// </summary>
internal sealed class StorageGate : IAsyncDisposable
{
    private readonly HttpClient _http = new();
    private readonly Uri _storage;
    private readonly WebApplication _app;
    private int _pieces;

    private StorageGate(Uri storage)
    {
        _storage = storage;
        _app = LoopbackServer.Build();
        _app.Run(ForwardAsync);
    }

    /// <summary>Pieces of weights that were asked for.</summary>
    public int Pieces => Volatile.Read(ref _pieces);

    /// <summary>Called with the number of a piece, from 1, before it is passed on; the token is cancelled when nobody waits for it any more.</summary>
    public Func<int, CancellationToken, Task> Before { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>What is answered instead of what storage answers with a piece's bytes; shorter: the connection is cut after it.</summary>
    public Func<int, byte[], byte[]> Change { get; set; } = (_, body) => body;

    /// <summary>Pieces whose number this accepts are refused as by a storage that is away.</summary>
    public Func<int, bool> IsAway { get; set; } = _ => false;

    /// <param name="storage">An address of the real one.</param>
    public static async Task<StorageGate> StartAsync(Uri storage, CancellationToken cancellationToken)
    {
        StorageGate gate = new(storage);
        await gate._app.StartAsync(cancellationToken);
        return gate;
    }

    /// <summary>The same address, through here.</summary>
    public Uri Through(Uri address) => new UriBuilder(address) { Port = new Uri(_app.Urls.Single()).Port }.Uri;

    /// <summary>What an edge signs for workers, so that they come through here.</summary>
    /// <param name="connectionString">Of the storage.</param>
    public StorageCapabilities Capabilities(string connectionString) =>
        new(new StorageAccount(connectionString.Replace($":{_storage.Port}/", $":{Through(_storage).Port}/", StringComparison.Ordinal)));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task ForwardAsync(HttpContext context)
    {
        try
        {
            await PassOnAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Who asked has gone.
        }
    }

    private async Task PassOnAsync(HttpContext context)
    {
        bool isPiece = context.Request.Method == HttpMethods.Get && context.Request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal);
        int number = isPiece ? Interlocked.Increment(ref _pieces) : 0;
        if (isPiece)
            await Before(number, context.RequestAborted);
        if (isPiece && IsAway(number))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        using HttpRequestMessage request = new(
            new HttpMethod(context.Request.Method), new Uri(_storage, $"{context.Request.Path.ToUriComponent()}{context.Request.QueryString.ToUriComponent()}"));
        if (context.Request.ContentLength is not null)
            request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers.Where(header => header.Key is not ("Host" or "Connection")))
        {
            if (!request.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                request.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }
        using HttpResponseMessage answer = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(header => header.Key is not ("Transfer-Encoding" or "Connection" or "Keep-Alive")))
            context.Response.Headers[name] = values.ToArray();
        byte[] body = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
        byte[] changed = isPiece && answer.IsSuccessStatusCode ? Change(number, body) : body;
        if (changed.Length > 0)
            await context.Response.Body.WriteAsync(changed, context.RequestAborted);
        if (changed.Length < body.Length)
            context.Abort();
    }
}
