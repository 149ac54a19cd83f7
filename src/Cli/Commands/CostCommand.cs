using System.CommandLine;
using System.Text.Json;

namespace OllamaMax.Cli.Commands;

/// <summary><c>cost</c>: what the month has cost, and will at this rate.</summary>
internal static class CostCommand
{
    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("cost", "What the month has cost, and will at this rate: what edges count, at the configured prices");
        run.Set(command, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync("cluster/cost", cancellationToken);
            screen.List(
                answer, answer.Items("items"),
                new("WHAT", item => item.Shown("name")), new("COUNT", item => item.Shown("count"), true), new("PRICE", item => $"{item.Member("price")} / {item.Shown("per")}", true),
                new("COST", item => item.Member("cost").ToString(), true), new("MONTH", item => item.Member("month_cost").ToString(), true));
            if (screen.IsJson)
                return;
            string month = answer.Number("month_cost") is { } cost ? $", {cost.ToString("0.####", System.Globalization.CultureInfo.InvariantCulture)} by the month's end at this rate" : "; too early for the month's end";
            screen.Line($"{answer.Shown("month")}: {answer.Member("cost")} {answer.Shown("currency")} since {answer.ShownTime("since")}{month}");
            foreach (JsonElement what in answer.Items("not_counted"))
                screen.Note($"not counted: {what.GetString()}");
        });
        return command;
    }
}
