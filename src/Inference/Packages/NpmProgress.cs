namespace OllamaMax.Inference.Packages;

/// <summary>Turns npm's many lines (at <c>--loglevel=http</c>) into the few that a waiting person wants to read.</summary>
internal sealed class NpmProgress(int packages, Action<string> report)
{
    private const int ReportEvery = 100;

    private readonly Lock _lock = new();
    private readonly List<string> _errors = [];
    private int _fetched;

    public void Line(string line)
    {
        lock (_lock)
        {
            if (line.StartsWith("npm error ", StringComparison.Ordinal))
                _errors.Add(line["npm error ".Length..].Trim());
            else if (line.StartsWith("npm http fetch GET 200", StringComparison.Ordinal) && line.Contains(".tgz", StringComparison.Ordinal))
                Fetched_NeedsLock();
        }
    }

    /// <summary>What npm said went wrong, in one line.</summary>
    public string Errors
    {
        get
        {
            lock (_lock)
                return string.Join("; ", _errors.Where(e => e.Length > 0 && !e.StartsWith("A complete log", StringComparison.Ordinal)).Take(3));
        }
    }

    private void Fetched_NeedsLock()
    {
        if (++_fetched % ReportEvery == 0)
            report($"npm: {_fetched} of {packages} packages");
    }
}
