using System.Collections.Concurrent;
using System.Threading.Channels;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace OllamaMax.Storage.Tests.Models;

/// <summary>Notes each request that leaves for storage, as <c>METHOD path?query</c>, and can be waited for.</summary>
internal sealed class CountedRequests : HttpPipelinePolicy
{
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly Channel<string> _listed = Channel.CreateUnbounded<string>();

    public IReadOnlyList<string> Lines => [.. _lines];

    public int Lists => _lines.Count(IsList);

    /// <summary>Listings are answered as by storage that has too much to do.</summary>
    public bool FailLists { get; set; }

    public void Clear()
    {
        _lines.Clear();
        while (_listed.Reader.TryRead(out _))
        {
        }
    }

    /// <summary>Returns when one more List call than were waited for has been answered.</summary>
    public async Task NextListAsync(CancellationToken cancellationToken) => await _listed.Reader.ReadAsync(cancellationToken);

    /// <summary>A stream over a blob that is read synchronously.</summary>
    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        _lines.Enqueue($"{message.Request.Method} {message.Request.Uri.Path}{message.Request.Uri.Query}");
        ProcessNext(message, pipeline);
    }

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        string line = $"{message.Request.Method} {message.Request.Uri.Path}{message.Request.Uri.Query}";
        _lines.Enqueue(line);
        if (FailLists && IsList(line))
            throw new RequestFailedException(503, "The server is busy.", "ServerBusy", innerException: null);
        await ProcessNextAsync(message, pipeline);
        if (IsList(line))
            _listed.Writer.TryWrite(line);
    }

    private static bool IsList(string line) => line.Contains("comp=list", StringComparison.Ordinal);
}
