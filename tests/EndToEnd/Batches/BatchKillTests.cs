using System.Diagnostics;
using System.Text.Json;

namespace OllamaMax.EndToEnd.Tests.Batches;

/// <summary>Batches while the processes that run them are killed: each line is answered, once, and as if nothing had happened.</summary>
public sealed class BatchKillTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Embeddings = "/v1/embeddings";

    /// <summary>Different ones, so that answers cannot be mistaken for each other's.</summary>
    private const int Questions = 10;

    private static readonly TimeSpan KillEvery = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Most of a minute, as a killed worker's lines wait for its leases to run out: <c>.ci/nightly</c>.</summary>
    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task Batch_ItsEdgeAndAWorkerKilled_AnswersEachLineOnceAndRightly()
    {
        await using BatchGroup group = await BatchGroup.StartAsync(pageLines: 8);
        string[] expected = await ExpectedAsync(group);
        JsonElement vectors = await group.CallAsync(Embeddings, Embedding(0));
        string chats = await group.SubmitAsync(Chat, Enumerable.Range(0, 40).Select(Question));
        string embeddings = await group.SubmitAsync(Embeddings, Enumerable.Range(0, 8).Select(_ => Embedding(0)));
        await group.WhenAsync(chats, batch => batch.GetProperty("request_counts").GetProperty("completed").GetInt32() > 0);

        group.KillEdge(0);
        group.KillWorker(0);

        await AllAnsweredAsync(group, chats, expected, 40);
        JsonElement[] answers = await group.AnswersAsync(await OutputOfAsync(group, embeddings, 8));
        answers.ShouldAllBe(answer => answer.GetRawText() == vectors.GetRawText());
    }

    /// <summary>Some minutes: <c>.ci/nightly</c>.</summary>
    [Fact(Explicit = true)]
    [Trait("Category", "Slow")]
    public async Task Batch_OfAThousandLines_SomethingKilledEveryTenSeconds_AnswersEachLineOnceAndRightly()
    {
        const int Lines = 1000;
        await using BatchGroup group = await BatchGroup.StartAsync(pageLines: 100);
        string[] expected = await ExpectedAsync(group);
        string id = await group.SubmitAsync(Chat, Enumerable.Range(0, Lines).Select(Question));
        long start = Stopwatch.GetTimestamp();
        int kills = 0;
        Task<string> output = OutputOfAsync(group, id, Lines);
        using PeriodicTimer timer = new(KillEvery);
        while (await timer.WaitForNextTickAsync(Cancellation) && !output.IsCompleted)
        {
            // An edge, a worker, the other edge, the other worker.
            if (kills % 2 == 0)
                group.KillEdge(kills / 2 % 2);
            else
                group.KillWorker(kills / 2 % 2);
            kills++;
        }

        await output;
        TestContext.Current.TestOutputHelper?.WriteLine($"{Lines} lines in {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s with {kills} kills");
        await AllAnsweredAsync(group, id, expected, Lines);
        kills.ShouldBeGreaterThan(3, "or nothing was tried");
    }

    private static object Question(int line) => new
    {
        model = "demo",
        temperature = 0,
        max_tokens = 40,
        messages = new[] { new { role = "user", content = $"What is number {line % Questions}?" } },
    };

    private static object Embedding(int line) => new { model = "demo", input = $"What is number {line}?" };

    /// <summary>The answers to all questions, undisturbed.</summary>
    private static async Task<string[]> ExpectedAsync(BatchGroup group)
    {
        List<string> expected = [];
        for (int i = 0; i < Questions; i++)
            expected.Add(TextOf(await group.CallAsync(Chat, Question(i))));
        return [.. expected];
    }

    private static async Task AllAnsweredAsync(BatchGroup group, string id, string[] expected, int lines)
    {
        JsonElement[] answers = await group.AnswersAsync(await OutputOfAsync(group, id, lines));
        answers.Select(TextOf).ShouldBe(Enumerable.Range(0, lines).Select(line => expected[line % Questions]));
    }

    /// <summary>Waits for the batch's end, at which every line must have an answer; answers the file of those.</summary>
    private static async Task<string> OutputOfAsync(BatchGroup group, string id, int lines)
    {
        JsonElement batch = await group.WhenAsync(id, batch => batch.GetProperty("status").GetString() is "completed" or "failed" or "expired" or "cancelled");
        JsonElement counts = batch.GetProperty("request_counts");
        (batch.GetProperty("status").GetString(), counts.GetProperty("completed").GetInt32(), counts.GetProperty("failed").GetInt32()).ShouldBe(("completed", lines, 0), batch.ToString());
        return batch.GetProperty("output_file_id").GetString()!;
    }

    private static string TextOf(JsonElement completion) => completion.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
}
