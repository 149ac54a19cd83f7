using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>Takes ownership of jobs.</summary>
internal interface IJobStarter
{
    /// <summary>Starts the job and answers its output at once; never blocks.</summary>
    /// <param name="job">What to run.</param>
    /// <param name="clientGone">Cancelled when nobody wants the answer any more. Not cancelled after the job's end.</param>
    JobOutputLog Start(Job job, CancellationToken clientGone);
}
