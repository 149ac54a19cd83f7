using System.Collections.Concurrent;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli.Commands;

/// <summary><c>bench MODEL</c>: a small load, as a client sees it.</summary>
internal static class BenchCommand
{
    private static readonly Argument<string> Model = new("model") { Description = "Its name" };
    private static readonly Option<int> Requests = Counted("--requests", "-n", "Requests in all", 20);
    private static readonly Option<int> Concurrency = Counted("--concurrency", "-c", "Requests at a time", 4);
    private static readonly Option<int> Tokens = Counted("--tokens", "-t", "Tokens of an answer at most", 64);
    private static readonly Option<string> Prompt = new("--prompt") { Description = "What is asked", DefaultValueFactory = _ => "Tell me a story." };

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("bench", "Time to first token and tokens per second under a small load. It takes slots from others, and is counted as anybody's requests")
        {
            Model, Requests, Concurrency, Tokens, Prompt,
        };
        run.Set(command, RunAsync);
        return command;
    }

    /// <returns>1 where a request failed, so that a script can tell.</returns>
    private static async Task<int> RunAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        ConcurrentBag<Answer> answers = [];
        ConcurrentBag<string> errors = [];
        ParallelOptions options = new() { MaxDegreeOfParallelism = parsed.GetValue(Concurrency), CancellationToken = cancellationToken };
        long start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, parsed.GetValue(Requests)), options, async (_, token) =>
        {
            try
            {
                answers.Add(await AskAsync(parsed, edge, token));
            }
            catch (EdgeException e) when (e.ExitCode is not (ExitCode.Unreachable or ExitCode.Denied))
            {
                errors.Add(e.Message);
            }
        });
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        JsonElement result = JsonElement.Parse(Result(parsed, seconds, [.. answers], [.. errors]).ToJsonString());
        if (screen.IsJson)
            screen.PrintJson(result);
        else
            Print(screen, result);
        return errors.IsEmpty ? ExitCode.Done : ExitCode.Failed;
    }

    private static async Task<Answer> AskAsync(ParseResult parsed, Edge edge, CancellationToken cancellationToken)
    {
        JsonObject body = new()
        {
            ["model"] = parsed.GetRequiredValue(Model),
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = parsed.GetRequiredValue(Prompt) }),
            ["options"] = new JsonObject { ["num_predict"] = parsed.GetValue(Tokens) },
        };
        long start = Stopwatch.GetTimestamp();
        double? first = null;
        JsonElement last = default;
        await foreach (JsonElement line in edge.StreamAsync(HttpMethod.Post, "api/chat", body, cancellationToken))
        {
            if (first is null && (line.Member("message").Text("content") is { Length: > 0 } || line.Member("message").Text("thinking") is { Length: > 0 }))
                first = Stopwatch.GetElapsedTime(start).TotalSeconds;
            last = line;
        }
        return last.Is("done")
            ? new(first, Stopwatch.GetElapsedTime(start).TotalSeconds, last.Number("eval_count") ?? 0)
            : throw new EdgeException("an answer ended without its last line", System.Net.HttpStatusCode.OK);
    }

    private static JsonObject Result(ParseResult parsed, double seconds, Answer[] answers, string[] errors)
    {
        JsonObject byMessage = [];
        foreach (IGrouping<string, string> same in errors.GroupBy(error => error))
            byMessage[same.Key] = same.Count();
        return new JsonObject
        {
            ["model"] = parsed.GetRequiredValue(Model),
            ["requests"] = answers.Length + errors.Length,
            ["concurrency"] = parsed.GetValue(Concurrency),
            ["failed"] = errors.Length,
            ["seconds"] = Rounded(seconds),
            ["tokens"] = answers.Sum(answer => answer.Tokens),
            ["tokens_per_second"] = Rounded(answers.Sum(answer => answer.Tokens) / seconds),
            ["first_token_seconds"] = Percentiles([.. answers.Select(answer => answer.First).OfType<double>()]),
            ["answer_seconds"] = Percentiles([.. answers.Select(answer => answer.Whole)]),
            ["errors"] = byMessage,
        };
    }

    /// <summary>By the nearest rank; without values there are none.</summary>
    private static JsonObject Percentiles(double[] values)
    {
        Array.Sort(values);
        JsonObject percentiles = [];
        foreach (int percent in (int[])[50, 95, 99])
        {
            if (values.Length > 0)
                percentiles[$"p{percent}"] = Rounded(values[Math.Max(0, (int)Math.Ceiling(values.Length * percent / 100.0) - 1)]);
        }
        return percentiles;
    }

    private static void Print(Screen screen, JsonElement result)
    {
        screen.Line($"{result.Shown("requests")} requests, {result.Shown("concurrency")} at a time, in {result.Shown("seconds")} s; {result.Shown("failed")} failed");
        screen.Line($"{result.Shown("tokens")} tokens, {result.Shown("tokens_per_second")} a second");
        foreach (string name in (string[])["first_token_seconds", "answer_seconds"])
        {
            JsonElement values = result.Member(name);
            screen.Line($"{(name == "answer_seconds" ? "whole answer" : "first token"),-12}  p50 {values.Member("p50")} s  p95 {values.Member("p95")} s  p99 {values.Member("p99")} s");
        }
        foreach (JsonProperty error in result.Member("errors").EnumerateObject())
            screen.Note($"{error.Value} x {error.Name}");
    }

    private static double Rounded(double value) => double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static Option<int> Counted(string name, string letter, string description, int otherwise)
    {
        Option<int> option = new(name, letter) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError($"{name} must be at least 1");
        });
        return option;
    }

    /// <param name="First">Seconds to the first text; null where there was none.</param>
    private sealed record Answer(double? First, double Whole, double Tokens);
}
