using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace OllamaMax.TestKit;

/// <summary>A web server with one file, of which the first who asks gets a part and no end; all others get what they ask for.</summary>
public sealed class FileSource : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FileSource(WebApplication app) => _app = app;

    /// <summary>Of the server: <c>http://127.0.0.1:…/</c>.</summary>
    public Uri Server => new(_app.Urls.Single());

    public Uri File => new(Server, "model.gguf");

    /// <summary>From which byte each request wanted it.</summary>
    public ConcurrentQueue<long> Starts { get; } = [];

    /// <param name="content">The file.</param>
    /// <param name="sentFirst">Bytes that the first who asks gets.</param>
    /// <param name="cancellationToken">Ends the starting.</param>
    public static async Task<FileSource> StartAsync(byte[] content, int sentFirst, CancellationToken cancellationToken)
    {
        WebApplication app = LoopbackServer.Build();
        FileSource source = new(app);
        EntityTagHeaderValue version = new("\"1\"");
        app.Run(async context =>
        {
            source.Starts.Enqueue(context.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0);
            if (source.Starts.Count > 1)
            {
                await Results.Bytes(content, enableRangeProcessing: true, entityTag: version).ExecuteAsync(context);
                return;
            }
            context.Response.ContentLength = content.Length;
            context.Response.Headers.ETag = version.ToString();
            await context.Response.Body.WriteAsync(content.AsMemory(0, sentFirst));
            await context.Response.Body.FlushAsync();
            await new TaskCompletionSource().Task.WaitAsync(context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await app.StartAsync(cancellationToken);
        return source;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
