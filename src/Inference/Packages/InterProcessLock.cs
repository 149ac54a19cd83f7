namespace OllamaMax.Inference.Packages;

/// <summary>A lock between processes: an open file that nobody else may open. The system lets go of it when its holder dies.</summary>
public sealed class InterProcessLock : IDisposable
{
    private static readonly TimeSpan RetryEvery = TimeSpan.FromMilliseconds(100);

    // EWOULDBLOCK of Linux and of macOS; a sharing and a lock violation of Windows. A disk that is full or read-only is none of them.
    private static readonly int[] s_held = [11, 35, unchecked((int)0x80070020), unchecked((int)0x80070021)];

    private readonly FileStream _file;

    private InterProcessLock(FileStream file) => _file = file;

    /// <summary>Null when another process (or another place in this one) holds it.</summary>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException"/>
    public static InterProcessLock? TryAcquire(string path)
    {
        try
        {
            return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (s_held.Contains(e.HResult))
        {
            return null;
        }
    }

    /// <param name="path">The file; its folder exists.</param>
    /// <param name="onWait">Called once when it is held by another.</param>
    /// <param name="time">Files tell nobody that they were closed: this asks again ten times a second.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<InterProcessLock> AcquireAsync(
        string path, Action onWait, TimeProvider time, CancellationToken cancellationToken)
    {
        if (TryAcquire(path) is { } free)
            return free;
        onWait();
        while (true)
        {
            await Task.Delay(RetryEvery, time, cancellationToken);
            if (TryAcquire(path) is { } acquired)
                return acquired;
        }
    }

    public void Dispose() => _file.Dispose();
}
