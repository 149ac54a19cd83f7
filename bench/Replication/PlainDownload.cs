using System.Net.Http.Headers;
using Microsoft.Win32.SafeHandles;

namespace OllamaMax.Bench.Replication;

/// <summary>What a copy is set beside: the same ranges over as many connections into a file, nothing looked at, and nothing waited for that the system writes later.</summary>
internal static class PlainDownload
{
    public static async Task RunAsync(HttpClient http, Uri address, long size, int rangeSize, int lanes, string path, CancellationToken cancellationToken)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.Asynchronous);
        ParallelOptions options = new() { MaxDegreeOfParallelism = lanes, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(Enumerable.Range(0, (int)((size + rangeSize - 1) / rangeSize)), options, async (index, stop) =>
        {
            long offset = (long)index * rangeSize;
            using HttpRequestMessage request = new(HttpMethod.Get, address);
            request.Headers.Range = new RangeHeaderValue(offset, Math.Min(offset + rangeSize, size) - 1);
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            response.EnsureSuccessStatusCode();
            await using Stream body = await response.Content.ReadAsStreamAsync(stop);
            byte[] buffer = new byte[256 << 10];
            for (int read; (read = await body.ReadAsync(buffer, stop)) > 0; offset += read)
                await RandomAccess.WriteAsync(file, buffer.AsMemory(0, read), offset, stop);
        });
    }
}
