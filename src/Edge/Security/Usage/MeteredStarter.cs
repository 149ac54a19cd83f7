using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Security.Usage;

/// <summary>Has another start jobs, and what they come to counted.</summary>
internal sealed class MeteredStarter(IJobStarter inner, UsageMeter meter) : IJobStarter
{
    public JobOutputLog Start(Job job, CancellationToken clientGone)
    {
        JobOutputLog log = inner.Start(job, clientGone);
        meter.Follow(job, log);
        return log;
    }
}
