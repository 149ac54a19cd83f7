using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage.Queues;

namespace OllamaMax.Edge.Webhooks;

/// <summary>Looks whether jobs wait for models that no worker holds or can take and may have, and tells operators when that is so twice in a row: a worker may only be starting anew.</summary>
internal sealed class QueueNotices(IModelSource models, JobQueues queues, OperatorNotices notices) : IReconciler
{
    private HashSet<string> _unserved = [];

    public string Name => "notices";

    public TimeSpan Every => TimeSpan.FromMinutes(1);

    /// <summary>Costs nothing where nobody is to be told.</summary>
    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        if (!notices.IsOn)
            return true;
        IReadOnlyDictionary<string, int> counts = await queues.CountAsync(cancellationToken);
        HashSet<string> unserved = [];
        foreach (ModelView model in await models.ListAsync(cancellationToken))
        {
            int waiting = Enum.GetValues<Band>().Sum(band => counts.GetValueOrDefault(JobQueueName.For(model.Weights, band)));
            if (waiting == 0 || models.IsServed(model, tenant: null))
                continue;
            unserved.Add(model.Weights);
            if (_unserved.Contains(model.Weights))
                notices.Tell(NoticeTypes.NoWorker, model.Name.ToString(), $"{waiting} jobs wait for {model.Name}, and no worker that may have it holds it or can take it");
        }
        _unserved = unserved;
        return true;
    }
}
