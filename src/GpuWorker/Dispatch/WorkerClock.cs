namespace OllamaMax.GpuWorker.Dispatch;

internal static class WorkerClock
{
    /// <summary>Time since some fixed moment, never going back: for intervals only.</summary>
    public static TimeSpan Elapsed(this TimeProvider time) => time.GetElapsedTime(0);
}
