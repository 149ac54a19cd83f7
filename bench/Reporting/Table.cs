namespace OllamaMax.Bench.Reporting;

/// <summary>Figures of one section; a value that was not measured is null.</summary>
/// <param name="Title">What was measured.</param>
/// <param name="Note">How to read it.</param>
/// <param name="Columns">Names with units; the first one is that of the rows' names.</param>
internal sealed record Table(string Title, string Note, IReadOnlyList<string> Columns)
{
    private readonly List<Row> _rows = [];

    public IReadOnlyList<Row> Rows => _rows;

    /// <summary>A table of <see cref="Samples.Times"/>.</summary>
    public static Table OfTimes(string title, string note) => new(title, note, ["milliseconds", "samples", "fastest", "p50", "p95", "p99", "longest"]);

    public void Add(string name, params double[] values)
    {
        if (values.Length != Columns.Count - 1)
            throw new ArgumentException($"The table {Title} has {Columns.Count - 1} columns of values, not {values.Length}.", nameof(values));
        _rows.Add(new(name, [.. values.Select(value => double.IsFinite(value) ? value : (double?)null)]));
    }

    internal sealed record Row(string Name, IReadOnlyList<double?> Values);
}

/// <summary>A figure that an aim is set for.</summary>
/// <param name="Name">Of the figure.</param>
/// <param name="Measured">In the unit that the name gives.</param>
/// <param name="Bound">What is aimed at.</param>
/// <param name="AtMost">The aim is not to be exceeded; otherwise it is to be reached.</param>
internal sealed record Aim(string Name, double? Measured, double Bound, bool AtMost)
{
    public bool? IsMet => Measured is { } measured ? (AtMost ? measured <= Bound : measured >= Bound) : null;
}
