using System.Text;
using System.Text.Json;

namespace OllamaMax.Cli.Commands;

/// <summary>What the branches of a followed job say, each in one piece under a line of its own: they answer at the same time, and their words would stand among each other.</summary>
internal sealed class BranchTexts(Screen screen)
{
    private readonly Dictionary<double, Branch> _branches = [];

    /// <param name="index">Of the branch.</param>
    /// <param name="line">Of the stream: what its job has added, or what has become of it.</param>
    public void Take(double index, JsonElement line)
    {
        if (!_branches.TryGetValue(index, out Branch? branch) || (line.Text("job_id") is { } job && job != branch.JobId))
            _branches[index] = branch = new(line.Text("job_id"));
        branch.Text.Append(line.Text("text"));
        if (branch.IsShown || line.Text("status") is not ("completed" or "failed" or "cancelled"))
            return;
        branch.IsShown = true;
        string error = line.Text("error") is { } reason ? $", {reason}" : "";
        screen.Line($"=== branch {line.Shown("branch")} ({line.Shown("role")}, {line.Shown("model")}): {line.Shown("status")}{error}");
        if (branch.Text.Length > 0)
            screen.Line(branch.Text.ToString());
    }

    private sealed record Branch(string? JobId)
    {
        public StringBuilder Text { get; } = new();

        public bool IsShown { get; set; }
    }
}
