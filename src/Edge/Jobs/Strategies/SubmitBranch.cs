using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.DurableTask;
using OllamaMax.Edge.Http;
using OllamaMax.Orchestrations;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>Takes on the background job of a branch. Run again it finds the job by the id that the orchestration gave it.</summary>
internal sealed class SubmitBranch(StrategyStore strategies, JobRecords records, JobResult results, BranchSubmitter submitter) : TaskActivity<SubmitInput, SubmitOutcome>
{
    public override async Task<SubmitOutcome> RunAsync(TaskActivityContext context, SubmitInput input)
    {
        if (await strategies.FindAsync(input.StrategyId, CancellationToken.None) is not { } strategy)
            return await submitter.GiveUpAsync(input.JobId);
        if (await submitter.IsThereAsync(input.JobId))
            return new();
        if (await strategies.GetContentAsync(input.StrategyId, StrategyContent.Name, CancellationToken.None) is not { } json)
            return BranchSubmitter.Gone;
        StrategyContent content = JsonSerializer.Deserialize(json, StrategyContentJson.Default.StrategyContent)
            ?? throw new InvalidDataException($"the content of strategy {input.StrategyId} is empty");
        if (content.Branch(input.Model, input.Prompt, await TextAsync(input)).Failed(out ApiError? error, out JobSubmission? submission))
            return new(error.Message);
        return await submitter.TakeAsync(strategy.Submitter, strategy.Deadline, input, submission, async () => await strategies.FindAsync(input.StrategyId, CancellationToken.None) is not null);
    }

    private async Task<string?> TextAsync(SubmitInput input)
    {
        if (input.Prompt is null)
            return null;
        if (input.AnswersOf.Count > 0)
            return await AnswersAsync(input);
        BinaryData? part = await strategies.GetContentAsync(input.StrategyId, StrategyContent.Part(input.Part), CancellationToken.None);
        return part?.ToString() ?? throw new InvalidDataException($"part {input.Part} of the text of strategy {input.StrategyId} is missing");
    }

    /// <summary>The answers one after the other, numbered where a judge must be able to name them.</summary>
    private async Task<string> AnswersAsync(SubmitInput input)
    {
        StringBuilder text = new();
        for (int i = 0; i < input.AnswersOf.Count; i++)
        {
            string id = input.AnswersOf[i];
            string? answer = await records.SettleAsync(id, CancellationToken.None) is { } record ? await results.ReadTextAsync(record, CancellationToken.None) : null;
            if (text.Length > 0)
                text.Append("\n\n");
            if (input.Prompt == "judge")
                text.Append(CultureInfo.InvariantCulture, $"Answer {i + 1}:\n");
            text.Append(answer ?? throw new InvalidDataException($"the answer of job {id} is not kept any more"));
        }
        return text.ToString();
    }
}
