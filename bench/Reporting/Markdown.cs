using System.Globalization;
using System.Text;

namespace OllamaMax.Bench.Reporting;

/// <summary>A result for people.</summary>
internal static class Markdown
{
    public static string Write(BenchResult result)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"# {result.Name}\n\n`{result.Command}`\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- {result.Date:yyyy-MM-dd HH:mm} UTC, {result.Duration.TotalSeconds:0} s\n");
        text.Append(CultureInfo.InvariantCulture, $"- {result.Machine.Cores} cores, {result.Machine.Cpu}, {result.Machine.Os}\n");
        text.Append(CultureInfo.InvariantCulture, $"- load averages (1, 5, 15 min) before: {result.LoadBefore}; after: {result.LoadAfter}\n");
        text.Append("- ").AppendJoin(", ", result.Machine.Versions.Select(version => $"{version.Key} {version.Value}")).Append('\n');
        if (result.Aims.Count > 0)
            WriteAims(text, result.Aims);
        foreach (Table table in result.Tables)
            WriteTable(text, table);
        return text.ToString();
    }

    private static void WriteAims(StringBuilder text, IReadOnlyList<Aim> aims)
    {
        text.Append("\n## Aims\n\n| figure | measured | aim | met |\n|---|---:|---:|---|\n");
        foreach (Aim aim in aims)
        {
            string met = aim.IsMet switch { true => "yes", false => "no", null => "not measured" };
            text.Append(CultureInfo.InvariantCulture, $"| {aim.Name} | {Number(aim.Measured)} | {(aim.AtMost ? "at most" : "at least")} {Number(aim.Bound)} | {met} |\n");
        }
    }

    private static void WriteTable(StringBuilder text, Table table)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n## {table.Title}\n\n{table.Note}\n\n");
        text.Append("| ").AppendJoin(" | ", table.Columns).Append(" |\n|---|").Insert(text.Length, "---:|", table.Columns.Count - 1).Append('\n');
        foreach (Table.Row row in table.Rows)
            text.Append("| ").AppendJoin(" | ", row.Values.Select(Number).Prepend(row.Name)).Append(" |\n");
    }

    /// <summary>Three digits that count, and no more of them than a measurement has.</summary>
    private static string Number(double? value) => value switch
    {
        null => "-",
        { } number when Math.Abs(number) >= 100 => number.ToString("0", CultureInfo.InvariantCulture),
        { } number when Math.Abs(number) >= 10 => number.ToString("0.#", CultureInfo.InvariantCulture),
        { } number => number.ToString("0.##", CultureInfo.InvariantCulture),
    };
}
