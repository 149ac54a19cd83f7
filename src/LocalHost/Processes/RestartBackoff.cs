namespace OllamaMax.LocalHost.Processes;

/// <summary>How long to wait before a child that ended is started again.</summary>
internal sealed class RestartBackoff
{
    /// <summary>A child that ran this long was well: its end counts as the first.</summary>
    public static readonly TimeSpan Stable = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    private int _inARow;

    /// <param name="lived">How long it ran.</param>
    /// <returns>Nothing after the first end, then 250 ms, doubling up to 10 s.</returns>
    public TimeSpan Next(TimeSpan lived)
    {
        _inARow = lived >= Stable ? 0 : _inARow;
        TimeSpan delay = _inARow == 0 ? TimeSpan.Zero : First * Math.Pow(2, Math.Min(_inARow - 1, 16));
        _inARow++;
        return delay < Longest ? delay : Longest;
    }
}
