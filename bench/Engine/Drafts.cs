using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>What guessed tokens bring to answers that copy from their prompts, and cost those that do not.</summary>
internal static class Drafts
{
    // A token in so many is another one than in the prompt; 0: none is, 1: all are.
    private static readonly (string Title, int Changed)[] s_texts = [("its prompt again", 0), ("its prompt, each 16th token changed", 16), ("nothing of its prompt", 1)];

    public static async Task MeasureAsync(string model, EngineSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        int length = sizes.CopiedTokens;
        Table table = result.Add(new Table(
            "Answer tokens a second with guessed tokens",
            $"All sequences together while all run: answers of {length} tokens after prompts of as many, which a grammar holds to that text; with and without guesses in turns on two " +
            $"engines, medians of {sizes.Repeats} runs.",
            ["sequences, and what they write", "without /s", "with /s", "with ÷ without", "tokens a step and answer"]));
        foreach (int sequences in sizes.DraftSequences)
        {
            await using BenchEngine without = await BenchEngine.LoadAsync(model, sequences, (2 * length) + 16, sizes.GpuLayers, cancellationToken);
            await using BenchEngine with = await BenchEngine.LoadAsync(model, sequences, (2 * length) + 16, sizes.GpuLayers, cancellationToken, draftTokens: BenchEngine.DraftTokens);
            foreach ((string title, int changed) in s_texts)
            {
                report($"guesses: {sequences} answers, {title}");
                Samples plain = new(), guessing = new(), steps = new();
                // The first round is not counted: pages are read, code is compiled, steps are measured.
                for (int i = -1; i < sizes.Repeats; i++)
                {
                    string[] prompts = [.. Enumerable.Range(0, sequences).Select(_ => without.Prompt(length))];
                    string[] answers = [.. prompts.Select(prompt => Change(prompt, without.Prompt(length), changed))];
                    double slow = (await without.CopyAllAsync(prompts, answers, cancellationToken)).TokensPerSecond;
                    long before = with.Steps;
                    double fast = (await with.CopyAllAsync(prompts, answers, cancellationToken)).TokensPerSecond;
                    if (i < 0)
                        continue;
                    plain.Add(slow);
                    guessing.Add(fast);
                    steps.Add((double)length / (with.Steps - before));
                }
                table.Add($"{sequences}, {title}", plain.Median, guessing.Median, guessing.Median / plain.Median, steps.Median);
            }
        }
    }

    private static string Change(string text, string other, int every) => every == 0 ? text
        : string.Concat(text.Select((letter, i) => (i + 1) % every == 0 ? other[i] : letter));
}
