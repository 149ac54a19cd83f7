using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Engine;

/// <summary>What prompts that are kept for later cost the answers that run: in one memory, attention goes over all of it.</summary>
internal static class KeptPrompts
{
    public static void Measure(string model, EngineSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        Table table = result.Add(new Table(
            "A step beside kept prompts",
            $"llama.cpp decoding as many sequences after prompts of {sizes.LongerPrompt} tokens, nothing else done, while another sequence holds so many tokens; medians of {sizes.Repeats} runs.",
            ["sequences", "kept tokens", "a step, ms", "÷ with none"]));
        foreach (int sequences in sizes.KeptSequences)
        {
            double without = double.NaN;
            foreach (int kept in sizes.Kept)
            {
                cancellationToken.ThrowIfCancellationRequested();
                report($"{sequences} sequences beside {kept} kept tokens");
                using LibraryLimit library = new(model, sequences, sizes.LongerPrompt + sizes.Tokens, sizes.GpuLayers, kept);
                Samples steps = new();
                for (int i = -1; i < sizes.Repeats; i++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    double step = sequences * 1000 / library.Measure(sizes.LongerPrompt, sizes.Tokens);
                    if (i >= 0)
                        steps.Add(step);
                }
                if (kept == 0)
                    without = steps.Median;
                table.Add($"{sequences}", kept, steps.Median, steps.Median / without);
            }
        }
    }
}
