using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.DurableTask;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Jobs;
using OllamaMax.Edge.Jobs.Strategies;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations;
using OllamaMax.Orchestrations.Batches;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Batches;

/// <summary>Names of a batch's contents in storage.</summary>
internal static class BatchContent
{
    public static string Page(int page) => $"page-{page:D6}";

    public static string Output(int page) => $"output-{page:D6}";

    public static string Errors(int page) => $"errors-{page:D6}";

    /// <summary>The lines of a page; null where they are not kept any more.</summary>
    public static async Task<string[]?> LinesAsync(StrategyStore contents, string batchId, int page)
    {
        BinaryData? text = await contents.GetContentAsync(batchId, Page(page), CancellationToken.None);
        return text?.ToString().Split('\n');
    }

    /// <summary>A line of a page; null where it is not kept any more.</summary>
    public static async Task<string?> LineAsync(StrategyStore contents, string batchId, int page, int line)
    {
        BinaryData? text = await contents.GetContentAsync(batchId, Page(page), CancellationToken.None);
        return text is null ? null : Of(text.ToMemory().Span, line);

        static string Of(ReadOnlySpan<byte> text, int line)
        {
            for (int i = 0; i < line; i++)
                text = text[(text.IndexOf((byte)'\n') + 1)..];
            return Encoding.UTF8.GetString(text.IndexOf((byte)'\n') is >= 0 and var end ? text[..end] : text);
        }
    }

    /// <summary>Writes of a batch (<see cref="WhileKept"/>). Null: it is not kept any more, and neither is what was written.</summary>
    public static Task<T?> WriteAsync<T>(BatchStore batches, StrategyStore contents, string batchId, Func<Task<T>> write)
        where T : class =>
        WhileKept.RunAsync(write, () => IsKeptAsync(batches, batchId), () => contents.DeleteContentAsync(batchId, CancellationToken.None));

    public static async Task<bool> IsKeptAsync(BatchStore batches, string batchId) => await batches.FindAsync(batchId, CancellationToken.None) is not null;

    /// <summary>Deletes a batch and its contents, before its record as that is how they are found, and behind it what was being written (<see cref="WhileKept"/>).</summary>
    public static async Task DeleteAsync(BatchStore batches, StrategyStore contents, string batchId, CancellationToken cancellationToken)
    {
        await contents.DeleteContentAsync(batchId, cancellationToken);
        await batches.DeleteAsync(batchId, cancellationToken);
        await contents.DeleteContentAsync(batchId, cancellationToken);
    }

    /// <summary>What there should be: to go on without it would make a file that lacks lines.</summary>
    public static InvalidDataException Missing(string batchId, string name) => new($"{name} of batch {batchId} is not there (any more)");
}

/// <summary>Cuts a batch's input into pages of lines. Empty lines are none.</summary>
internal sealed class OpenBatch(BatchStore batches, FileStore files, StrategyStore contents, IOptions<BatchOptions> options) : TaskActivity<string, BatchOpened>
{
    /// <summary>Characters of a page, or of its only line. Whoever takes a line on reads its page, many at a time: lines may have images.</summary>
    internal const int LongestPage = 4 << 20;

    public override async Task<BatchOpened> RunAsync(TaskActivityContext context, string input)
    {
        if (await batches.FindAsync(input, CancellationToken.None) is not { } batch)
        {
            // A run before this one may have written behind its deletion.
            await contents.DeleteContentAsync(input, CancellationToken.None);
            return new([], BranchSubmitter.Gone.Error);
        }
        if (await files.FindAsync(batch.InputFileId, batch.Submitter.Tenant, CancellationToken.None) is not { } file
            || await files.OpenAsync(file, CancellationToken.None) is not { } content)
            return new([], "the input file is not there any more");
        return await BatchContent.WriteAsync(batches, contents, input, () => CutAsync(input, content)) ?? new([], BranchSubmitter.Gone.Error);
    }

    private async Task<BatchOpened> CutAsync(string batchId, Stream content)
    {
        List<int> pages = [];
        List<string> lines = [];
        int total = 0;
        int characters = 0;
        using StreamReader reader = new(content, Encoding.UTF8);
        while (await reader.ReadLineAsync() is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
                continue;
            if (++total > options.Value.MaxLines)
                return new([], $"the input has more than {options.Value.MaxLines} lines");
            if (lines.Count > 0 && characters + line.Length > LongestPage)
                await PutAsync();
            lines.Add(line);
            characters += line.Length;
            if (lines.Count == options.Value.PageLines)
                await PutAsync();
        }
        if (lines.Count > 0)
            await PutAsync();
        return pages.Count > 0 ? new(pages) : new([], "the input has no lines");

        async Task PutAsync()
        {
            await contents.PutContentAsync(batchId, BatchContent.Page(pages.Count), new BinaryData(string.Join('\n', lines)), CancellationToken.None);
            pages.Add(lines.Count);
            lines.Clear();
            characters = 0;
        }
    }
}

/// <summary>Takes on the background job of a line. Run again it finds the job by the id that the orchestration gave it.</summary>
internal sealed class SubmitLine(BatchStore batches, StrategyStore contents, BranchSubmitter submitter) : TaskActivity<SubmitInput, SubmitOutcome>
{
    public override async Task<SubmitOutcome> RunAsync(TaskActivityContext context, SubmitInput input)
    {
        string batchId = input.BatchId ?? throw new ArgumentException("A line belongs to a batch.", nameof(input));
        if (await batches.FindAsync(batchId, CancellationToken.None) is not { } batch)
            return await submitter.GiveUpAsync(input.JobId);
        if (await submitter.IsThereAsync(input.JobId))
            return new();
        if (await BatchContent.LineAsync(contents, batchId, input.Part, input.Choice) is not { } line)
            return BranchSubmitter.Gone;
        if (BatchLine.Read(line, batch.Endpoint).Submission.Failed(out ApiError? error, out JobSubmission? submission))
            return new(error.Message);
        return await submitter.TakeAsync(batch.Submitter, batch.Deadline, input with { Choice = 0 }, submission, () => BatchContent.IsKeptAsync(batches, batchId));
    }
}

/// <summary>Writes how the lines of a page ended: answers here, lines without one there.</summary>
internal sealed class WritePage(BatchStore batches, StrategyStore contents, JobRecords records, JobResult results) : TaskActivity<WritePageInput, BatchPageResult>
{
    public override async Task<BatchPageResult> RunAsync(TaskActivityContext context, WritePageInput input) =>
        await BatchContent.WriteAsync(batches, contents, input.BatchId, () => WriteAsync(input)) ?? new(0, input.Lines.Count);

    private async Task<BatchPageResult> WriteAsync(WritePageInput input)
    {
        string endpoint = (await batches.FindAsync(input.BatchId, CancellationToken.None))?.Endpoint ?? "";
        // Run again when the batch is closed already, it must not leave an empty page.
        string[] lines = await BatchContent.LinesAsync(contents, input.BatchId, input.Page) ?? throw BatchContent.Missing(input.BatchId, BatchContent.Page(input.Page));
        ArrayBufferWriter<byte> output = new();
        ArrayBufferWriter<byte> errors = new();
        int completed = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            LineEnd? end = i < input.Lines.Count ? input.Lines[i] : null;
            JsonElement? answer = await AnswerAsync(end);
            string? customId = BatchLine.Read(lines[i], endpoint).CustomId;
            BatchOutputLine.Write(answer is null ? errors : output, $"{input.BatchId}_{input.Page}_{i}", customId, end, answer);
            completed += answer is null ? 0 : 1;
        }
        await contents.PutContentAsync(input.BatchId, BatchContent.Output(input.Page), new BinaryData(output.WrittenMemory), CancellationToken.None);
        await contents.PutContentAsync(input.BatchId, BatchContent.Errors(input.Page), new BinaryData(errors.WrittenMemory), CancellationToken.None);
        return new(completed, lines.Length - completed);
    }

    /// <summary>A line that was under way when its page was stopped may have been answered all the same: its job knows.</summary>
    private async Task<JsonElement?> AnswerAsync(LineEnd? end) =>
        end is { Status: not RecordStatus.Failed, JobId: { } id } && await records.SettleAsync(id, CancellationToken.None) is { Status: RecordStatus.Completed } record
            ? await results.ReadAsync(record, CancellationToken.None)
            : null;
}

/// <summary>Makes files of the pages, in the lines' order. Two runs of it may meet: whose file is there first has won, and only then are pages deleted.</summary>
internal sealed class CloseBatch(BatchStore batches, FileStore files, StrategyStore contents, TimeProvider time) : TaskActivity<CloseBatchInput, BatchFiles>
{
    public override async Task<BatchFiles> RunAsync(TaskActivityContext context, CloseBatchInput input)
    {
        BatchRecord? batch = await batches.FindAsync(input.BatchId, CancellationToken.None);
        if (batch is null)
        {
            // As in OpenBatch.
            await TakeBackAsync(input);
            return new(null, null);
        }
        return await WhileKept.RunAsync(() => WriteAsync(batch, input), () => BatchContent.IsKeptAsync(batches, batch.Id), () => TakeBackAsync(input)) ?? new(null, null);
    }

    private async Task<BatchFiles> WriteAsync(BatchRecord batch, CloseBatchInput input)
    {
        foreach (int page in input.Unwritten)
            await GiveUpAsync(batch, page);
        bool hasOutput = await PutAsync(batch, input.OutputId, $"batch_{batch.Id}_output.jsonl", input.Pages, BatchContent.Output);
        bool hasErrors = await PutAsync(batch, input.ErrorId, $"batch_{batch.Id}_error.jsonl", input.Pages, BatchContent.Errors);
        await contents.DeleteContentAsync(batch.Id, CancellationToken.None);
        return new(hasOutput ? input.OutputId : null, hasErrors ? input.ErrorId : null);
    }

    private async Task TakeBackAsync(CloseBatchInput input)
    {
        await contents.DeleteContentAsync(input.BatchId, CancellationToken.None);
        await files.DeleteAsync(input.OutputId, CancellationToken.None);
        await files.DeleteAsync(input.ErrorId, CancellationToken.None);
    }

    /// <summary>All lines of a page into the file of those without answer.</summary>
    private async Task GiveUpAsync(BatchRecord batch, int page)
    {
        // The files are there, then, and this page is in one of them.
        if (await BatchContent.LinesAsync(contents, batch.Id, page) is not { } lines)
            return;
        ArrayBufferWriter<byte> errors = new();
        for (int i = 0; i < lines.Length; i++)
        {
            LineEnd end = new(JobId: null, RecordStatus.Failed, "how the line ended could not be written");
            BatchOutputLine.Write(errors, $"{batch.Id}_{page}_{i}", BatchLine.Read(lines[i], batch.Endpoint).CustomId, end, answer: null);
        }
        // Half of it may be there: a line is in one file only.
        await contents.PutContentAsync(batch.Id, BatchContent.Output(page), BinaryData.Empty, CancellationToken.None);
        await contents.PutContentAsync(batch.Id, BatchContent.Errors(page), new BinaryData(errors.WrittenMemory), CancellationToken.None);
    }

    private async Task<bool> PutAsync(BatchRecord batch, string id, string name, int pages, Func<int, string> part)
    {
        if (await IsThereAsync(batch, id))
            return true;
        string[] parts = [.. Enumerable.Range(0, pages).Select(part)];
        // None where another run has written the file meanwhile, too, and deleted the pages.
        if (!await HasContentAsync(batch.Id, parts))
            return await IsThereAsync(batch, id);
        // Of vectors a batch has gigabytes: never more than a page of them is in memory.
        Pipe pipe = new();
        Task filling = FillAsync(pipe.Writer, batch.Id, parts);
        await using (Stream whole = pipe.Reader.AsStream())
            await files.PutAsync(new(id, batch.Submitter.Tenant, name, "batch_output", 0, time.GetUtcNow()), whole, CancellationToken.None);
        await filling;
        return true;
    }

    private async Task<bool> IsThereAsync(BatchRecord batch, string fileId) => await files.FindAsync(fileId, batch.Submitter.Tenant, CancellationToken.None) is not null;

    private async Task<bool> HasContentAsync(string batchId, IEnumerable<string> parts)
    {
        foreach (string part in parts)
        {
            if (await contents.GetContentAsync(batchId, part, CancellationToken.None) is { } content && !content.ToMemory().IsEmpty)
                return true;
        }
        return false;
    }

    private async Task FillAsync(PipeWriter whole, string batchId, IEnumerable<string> parts)
    {
        Exception? reason = null;
        try
        {
            foreach (string part in parts)
            {
                BinaryData content = await contents.GetContentAsync(batchId, part, CancellationToken.None) ?? throw BatchContent.Missing(batchId, part);
                if ((await whole.WriteAsync(content.ToMemory())).IsCompleted)
                    break;
            }
        }
        catch (Exception e)
        {
            // Who reads is to fail by it, and must not take what has come for all there is.
            reason = e;
        }
        await whole.CompleteAsync(reason);
    }
}
