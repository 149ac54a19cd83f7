using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace OllamaMax.Edge.Webhooks;

/// <summary>
/// Tells operators by webhook what they must know. Each edge tells what it finds out itself, once in a while for each thing, and each address has a queue of its own in memory: what is not sent
/// when the process ends is lost, and an address that does not answer holds up no other. Alerts on metrics (ops/alerts) do not depend on any of this.
/// </summary>
internal sealed partial class OperatorNotices : BackgroundService
{
    private const int MostWaiting = 1000;
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Type, string Subject), long> _told = [];
    private readonly (string Url, Channel<Notice> Waiting)[] _targets;
    private readonly WebhookOptions _options;
    private readonly EdgeIdentity _edge;
    private readonly WebhookSender _sender;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    public OperatorNotices(IOptions<WebhookOptions> options, EdgeIdentity edge, WebhookSender sender, TimeProvider time, ILogger<OperatorNotices> logger)
    {
        (_options, _edge, _sender, _time, _logger) = (options.Value, edge, sender, time, logger);
        _targets = [.. _options.Urls.Select(url => (url, Channel.CreateBounded<Notice>(MostWaiting)))];
    }

    /// <summary>Somebody is to be told.</summary>
    public bool IsOn => _targets.Length > 0;

    /// <summary>Never waits, and does nothing where nobody is to be told, or was told not long ago.</summary>
    /// <param name="type">One of <see cref="NoticeTypes"/>.</param>
    /// <param name="subject">What it is about; together they are what is not told again for a while.</param>
    /// <param name="text">For people; no prompt and no key.</param>
    public void Tell(string type, string subject, string text)
    {
        if (!IsOn || !IsNew(type, subject))
            return;
        Notice notice = new($"notice_{Guid.NewGuid():n}", type, _time.GetUtcNow().UtcDateTime, subject, text, _edge.Id);
        foreach (var (_, waiting) in _targets)
        {
            if (!waiting.Writer.TryWrite(notice))
                LogDropped(type, subject);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_targets.Select((target, number) => SendAllAsync(number + 1, target.Url, target.Waiting.Reader, stoppingToken)));

    private bool IsNew(string type, string subject)
    {
        lock (_lock)
        {
            if (_told.TryGetValue((type, subject), out long at) && !IsOld(at))
                return false;
            if (_told.Count >= MostRemembered)
            {
                foreach (var (key, _) in _told.Where(told => IsOld(told.Value)).ToList())
                    _told.Remove(key);
            }
            // So many at once are a flood, of which one hears in any case.
            if (_told.Count >= MostRemembered)
                return false;
            _told[(type, subject)] = _time.GetTimestamp();
            return true;
        }
    }

    private bool IsOld(long at) => _time.GetElapsedTime(at) >= _options.RepeatAfter;

    private async Task SendAllAsync(int number, string url, ChannelReader<Notice> waiting, CancellationToken stopping)
    {
        try
        {
            await foreach (Notice notice in waiting.ReadAllAsync(stopping))
                await SendAsync(number, url, notice, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task SendAsync(int number, string url, Notice notice, CancellationToken stopping)
    {
        TimeSpan wait = FirstWait;
        for (int tries = 1; await _sender.TrySendAsync(url, notice, stopping) is { } failure; tries++)
        {
            if (tries >= _options.Tries)
            {
                LogGivenUp(notice.Type, notice.Subject, number, tries, failure);
                return;
            }
            await Task.Delay(wait, _time, stopping);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Too much waits to be told by webhook; not told: {Type} of {Subject}")]
    private partial void LogDropped(string type, string subject);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Type} of {Subject} could not be told by webhook {Number}, tried {Tries} times: {Reason}")]
    private partial void LogGivenUp(string type, string subject, int number, int tries, string reason);
}
