using System.Runtime.CompilerServices;

namespace OllamaMax.TestKit;

/// <summary>The lines that a process wrote, for tests that wait for one. Any number of writers and readers.</summary>
public sealed class LineLog
{
    private const int LinesShown = 40;

    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> IsIt, TaskCompletionSource<string> Found)> _waiters = [];
    private string? _end;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines];
        }
    }

    public void Add(string line)
    {
        List<TaskCompletionSource<string>> found;
        lock (_lock)
        {
            _lines.Add(line);
            found = [.. _waiters.Where(waiter => waiter.IsIt(line)).Select(waiter => waiter.Found)];
            _waiters.RemoveAll(waiter => found.Contains(waiter.Found));
        }
        foreach (TaskCompletionSource<string> waiter in found)
            waiter.SetResult(line);
    }

    /// <summary>No more lines will come; whoever waits fails with <paramref name="reason"/> and all lines.</summary>
    public void End(string reason)
    {
        List<TaskCompletionSource<string>> disappointed;
        lock (_lock)
        {
            _end = reason;
            disappointed = [.. _waiters.Select(waiter => waiter.Found)];
            _waiters.Clear();
        }
        foreach (TaskCompletionSource<string> waiter in disappointed)
            waiter.SetException(NeverCame(reason));
    }

    /// <summary>The first line that <paramref name="isIt"/> accepts among the first ones past <paramref name="from"/>, which may be yet to come.</summary>
    /// <exception cref="OperationCanceledException">It did not come until then; the message has what was waited for, and the last lines that came instead.</exception>
    public Task<string> WaitForAsync(
        Func<string, bool> isIt, CancellationToken cancellationToken, int from = 0, [CallerArgumentExpression(nameof(isIt))] string what = "")
    {
        TaskCompletionSource<string> found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_lines.Skip(from).FirstOrDefault(isIt) is { } line)
                return Task.FromResult(line);
            if (_end is { } reason)
                return Task.FromException<string>(NeverCame(reason));
            _waiters.Add((isIt, found));
        }
        return WaitAsync(found.Task, what, cancellationToken);
    }

    private async Task<string> WaitAsync(Task<string> found, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await found.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException($"No such line came: {what}\n{string.Join('\n', Lines.TakeLast(LinesShown))}", e, cancellationToken);
        }
    }

    private InvalidOperationException NeverCame(string reason) => new($"{reason}\n{string.Join('\n', Lines)}");
}
