using Microsoft.Extensions.Logging;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Whether copies can be written to the folder: looked at when one could not be, and each minute from then on, until they can.</summary>
internal sealed partial class FolderWatch(ReplicaFolder folder, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private string? _whyNot;
    private long _lookedAt;

    /// <summary>Why nothing can be written there; null: as far as is known, something can.</summary>
    public string? WhyNot()
    {
        lock (_lock)
        {
            if (_whyNot is not null && time.GetElapsedTime(_lookedAt) >= LookAgain)
                Look_NeedsLock();
            return _whyNot;
        }
    }

    /// <summary>Something could not be written. It may not be the folder's fault.</summary>
    public void Look()
    {
        lock (_lock)
            Look_NeedsLock();
    }

    private void Look_NeedsLock()
    {
        string? before = _whyNot;
        (_whyNot, _lookedAt) = (folder.WhyNotWritable(), time.GetTimestamp());
        if (before is null && _whyNot is not null)
            LogUnwritable(_whyNot);
        else if (before is not null && _whyNot is null)
            LogWritable();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The folder for copies of models cannot be written, so none are made until it can: {Reason}")]
    private partial void LogUnwritable(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The folder for copies of models can be written again")]
    private partial void LogWritable();
}
