namespace OllamaMax.Bench.Reporting;

/// <summary>What one run of a bench came to, and on what.</summary>
internal sealed class BenchResult
{
    private readonly List<Table> _tables = [];
    private readonly List<Aim> _aims = [];
    private readonly TimeProvider _time;
    private readonly long _start;

    private BenchResult(string name, string command, MachineInfo machine, TimeProvider time)
    {
        _time = time;
        _start = time.GetTimestamp();
        Name = name;
        Command = command;
        Machine = machine;
        Date = time.GetUtcNow();
        LoadBefore = MachineInfo.Load();
    }

    public string Name { get; }

    public string Command { get; }

    public MachineInfo Machine { get; }

    public DateTimeOffset Date { get; }

    public TimeSpan Duration { get; private set; }

    /// <summary>The system's load averages over 1, 5 and 15 minutes; what else runs shows in the first of them.</summary>
    public string LoadBefore { get; }

    public string LoadAfter { get; private set; } = "";

    public IReadOnlyList<Table> Tables => _tables;

    public IReadOnlyList<Aim> Aims => _aims;

    public static async Task<BenchResult> BeginAsync(string name, string command, TimeProvider time, CancellationToken cancellationToken) =>
        new(name, command, await MachineInfo.ReadAsync(cancellationToken), time);

    public Table Add(Table table)
    {
        _tables.Add(table);
        return table;
    }

    public void Aim(string name, double measured, double bound, bool atMost) =>
        _aims.Add(new(name, double.IsFinite(measured) ? measured : null, bound, atMost));

    public void End()
    {
        Duration = _time.GetElapsedTime(_start);
        LoadAfter = MachineInfo.Load();
    }
}
