using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli.Commands;

/// <summary><c>jobs …</c>: background jobs, and interactive ones that were set aside.</summary>
internal static class JobCommands
{
    /// <summary>That an edge answers at once.</summary>
    private const int MostListed = 1000;

    private static readonly Argument<string> Job = new("job") { Description = "Its id" };
    private static readonly Option<string?> Status = new("--status") { Description = "queued, running, completed, failed, cancelled or poison" };
    private static readonly Option<bool> All = new("--all") { Description = "Of all tenants, for who may see them" };
    private static readonly Option<int> Limit = new("--limit") { Description = "At most so many, the newest; 0: all there are", DefaultValueFactory = _ => 100 };
    private static readonly Argument<string> Model = new("model") { Description = "Whom to ask" };
    private static readonly Argument<string> Prompt = new("prompt") { Description = "What to ask" };

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("jobs", "What runs without anybody waiting");
        Limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 0)
                result.AddError("--limit is a number of jobs, or 0");
        });
        Command list = new("list", "Jobs and how far they are") { Status, All, Limit };
        run.Set(list, async (parsed, edge, screen, cancellationToken) =>
        {
            bool all = parsed.GetValue(All);
            string status = parsed.GetValue(Status) is { } wanted ? $"&status={Uri.EscapeDataString(wanted)}" : "";
            JsonElement answer = await ListAsync(edge, $"jobs?all={(all ? "true" : "false")}{status}", parsed.GetValue(Limit), cancellationToken);
            Column[] tenant = all ? [new("TENANT", job => job.Shown("tenant"))] : [];
            screen.List(
                answer, answer.Items("jobs"),
                [new("ID", job => job.Shown("id")), .. tenant, new("STATUS", job => job.Is("poison") ? "poison" : job.Shown("status")), new("MODEL", job => job.Shown("model")),
                new("ATTEMPTS", job => job.Shown("attempts"), true), new("WORKER", job => job.Shown("worker_id")), new("MADE", job => job.ShownTime("created_at")),
                new("ENDED", job => job.ShownTime("ended_at")), new("ERROR", job => job.Shown("error"))]);
            if (answer.Is("has_more") && !screen.IsJson)
                screen.Note("there are more: --limit N, or 0 for all");
        });
        command.Add(list);

        Command submit = new("submit", "Queues a prompt, and prints the job's id") { Model, Prompt };
        run.Set(submit, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonElement job = await edge.SubmitAsync(
                "jobs", new JsonObject { ["model"] = parsed.GetRequiredValue(Model), ["prompt"] = parsed.GetRequiredValue(Prompt) }, cancellationToken);
            if (screen.IsJson)
                screen.PrintJson(job);
            else
                screen.Line(job.Shown("id"));
        });
        command.Add(submit);

        Command show = new("show", "A job with its attempts, and its result when it is there") { Job };
        run.Set(show, async (parsed, edge, screen, cancellationToken) => screen.PrintJson(await edge.GetAsync(PathOf(parsed), cancellationToken)));
        command.Add(show);

        Command follow = new("follow", "Its text, live or later; of one with a strategy each branch's when it has ended") { Job };
        run.Set(follow, async (parsed, edge, screen, cancellationToken) =>
        {
            BranchTexts branches = new(screen);
            await foreach (JsonElement line in edge.StreamAsync(HttpMethod.Get, $"{PathOf(parsed)}/stream?after=0", null, cancellationToken))
            {
                if (screen.IsJson)
                    screen.Line(line.ToString());
                else if (line.Number("branch") is { } branch)
                    branches.Take(branch, line);
                else
                    await screen.Output.WriteAsync(line.Text("text") ?? "");
                await screen.Output.FlushAsync(cancellationToken);
            }
            if (!screen.IsJson)
                screen.Line("");
        });
        command.Add(follow);

        Command cancel = new("cancel", "Cancels one that runs or waits; deletes one that has ended") { Job };
        run.Set(cancel, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.CallAsync(HttpMethod.Delete, PathOf(parsed), null, cancellationToken);
            if (screen.IsJson && answer.ValueKind != JsonValueKind.Undefined)
                screen.PrintJson(answer);
        });
        command.Add(cancel);

        Command requeue = new("requeue", "Tries a failed one again") { Job };
        run.Set(requeue, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonElement job = await edge.PostAsync($"{PathOf(parsed)}/requeue", null, cancellationToken);
            if (screen.IsJson)
                screen.PrintJson(job);
        });
        command.Add(requeue);
        return command;
    }

    /// <summary>As many pages as it takes, in one answer.</summary>
    private static async Task<JsonElement> ListAsync(Edge edge, string path, int limit, CancellationToken cancellationToken)
    {
        List<JsonElement> jobs = [];
        bool hasMore = true;
        while (hasMore && (limit == 0 || jobs.Count < limit))
        {
            int wanted = limit == 0 ? MostListed : Math.Min(MostListed, limit - jobs.Count);
            string before = jobs.Count > 0 ? $"&before={jobs[^1].Shown("id")}" : "";
            JsonElement page = await edge.GetAsync($"{path}&limit={wanted}{before}", cancellationToken);
            jobs.AddRange(page.Items("jobs"));
            hasMore = page.Is("has_more");
        }
        return JsonSerializer.SerializeToElement(new { jobs, has_more = hasMore });
    }

    private static string PathOf(ParseResult parsed) => $"jobs/{Uri.EscapeDataString(parsed.GetRequiredValue(Job))}";
}
