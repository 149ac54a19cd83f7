using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// Has a model leave the memory of all workers that hold it. Each is told once, and again while its heartbeat still shows the model: messages
/// may be lost. One that is answering with it lets go afterwards, which nobody waits for, as with Ollama. Who may not decide that for others gets the same answer, and nobody is told.
/// </summary>
internal sealed partial class ModelUnloader(ClusterWatch watch, WorkerChannel workers, TimeProvider time, ILogger<ModelUnloader> logger)
{
    private const int MaxTries = 3;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(250);

    public JobOutputLog Start(Job job)
    {
        var log = new JobOutputLog();
        _ = RunAsync(job, log);
        return log;
    }

    private async Task RunAsync(Job job, JobOutputLog log)
    {
        long start = time.GetTimestamp();
        try
        {
            HashSet<string> told = [];
            IReadOnlyList<string> holders = [];
            for (int i = 0; i < MaxTries && !job.OnlyLengthensStay && (holders = await TellHoldersAsync(job.Model, told)).Count > 0; i++)
                await Task.Delay(Between, time);
            log.Append(holders.All(told.Contains)
                ? new JobOutput.Finished(FinishReason.Unload, Statistics(time.GetElapsedTime(start)))
                : new JobOutput.Failed(new JobError(JobErrorKind.Unavailable, "SignalR cannot be reached, and so not all workers that hold the model; try again later")));
        }
        catch (Exception e)
        {
            LogFailed(e, job.RequestId);
            log.Append(new JobOutput.Failed(e is RequestFailedException or AggregateException
                ? new JobError(JobErrorKind.Unavailable, "storage cannot be reached; try again later")
                : new JobError(JobErrorKind.Failed, "the model could not be unloaded; the server's log says more")));
        }
    }

    /// <summary>Who holds it.</summary>
    /// <param name="model">Digest of the weights.</param>
    /// <param name="told">Takes those to whom SignalR has taken the message.</param>
    private async Task<IReadOnlyList<string>> TellHoldersAsync(string model, HashSet<string> told)
    {
        IReadOnlyList<WorkerView> views = await watch.GetAsync(TimeSpan.Zero, CancellationToken.None);
        string[] holders =
        [
            .. from view in views
               where view.State != WorkerState.Gone
                   && (view.Report.Models.Any(held => held.Digest == model && (held.Loaded || held.LoadingPercent is not null))
                       // Whether a server that is forwarded to holds it nobody knows: telling it again does no harm.
                       || view.Forwarded.Any(forwarded => forwarded.Digest == model))
               select view.Report.Id
        ];
        bool[] taken = await Task.WhenAll(holders.Select(id => workers.UnloadAsync(id, model)));
        told.UnionWith(holders.Where((_, index) => taken[index]));
        return holders;
    }

    private static JobStatistics Statistics(TimeSpan total) => new()
    {
        TotalDuration = total,
        LoadDuration = default,
        PromptTokens = 0,
        PromptDuration = default,
        Tokens = 0,
        EvalDuration = default,
        Attempts = 0,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request {RequestId}: the model could not be unloaded")]
    private partial void LogFailed(Exception exception, string requestId);
}
