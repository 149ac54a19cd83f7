using System.Diagnostics;
using OllamaMax.Storage;

namespace OllamaMax.Bench.Dispatch;

/// <summary>When queue messages were put and got in this process, from the runtime's own traces of HTTP calls.</summary>
internal sealed class HttpTrace : IDisposable
{
    private const string Source = "System.Net.Http";

    private readonly ActivityListener _listener;
    private readonly string _queues;
    private TaskCompletionSource<long>? _put;
    private long _lastGet;

    /// <param name="storage">Connection string of the account whose queues are watched.</param>
    public HttpTrace(string storage)
    {
        _queues = new StorageAccount(storage).Queues.Uri.AbsoluteUri;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == Source,
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = Stopped,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>When the newest answer to a Get came.</summary>
    public long LastGet => Interlocked.Read(ref _lastGet);

    /// <summary>When the answer to the next Put comes.</summary>
    public Task<long> NextPutAsync()
    {
        TaskCompletionSource<long> put = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _put = put;
        return put.Task;
    }

    public void Dispose() => _listener.Dispose();

    private void Stopped(Activity activity)
    {
        long now = Stopwatch.GetTimestamp();
        if (activity.GetTagItem("url.full") is not string url || !url.StartsWith(_queues, StringComparison.Ordinal)
            || !new Uri(url).AbsolutePath.EndsWith("/messages", StringComparison.Ordinal))
            return;
        switch (activity.GetTagItem("http.request.method"))
        {
            case "POST":
                Interlocked.Exchange(ref _put, null)?.SetResult(now);
                break;
            case "GET":
                Interlocked.Exchange(ref _lastGet, now);
                break;
        }
    }
}
