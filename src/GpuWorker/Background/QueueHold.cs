using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using OllamaMax.GpuWorker.Dispatch;

namespace OllamaMax.GpuWorker.Background;

/// <summary>
/// A background job's queue message, hidden from others for as long as its worker is alive and says so. Losing it is no catastrophe: the
/// job's output tells who may write. Not safe for concurrent use.
/// </summary>
internal sealed class QueueHold(QueueClient queue, QueueMessage message, TimeProvider time)
{
    private QueueClient _queue = queue;
    private string _receipt = message.PopReceipt;
    private TimeSpan _renewedAt = time.Elapsed();

    public string MessageId => message.MessageId;

    /// <summary>Somebody else has it, or it is gone.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Time since it was last hidden.</summary>
    public TimeSpan Age => time.Elapsed() - _renewedAt;

    /// <summary>The same queue by an address with a fresh signature.</summary>
    public void Renew(QueueClient renewed) => _queue = renewed;

    /// <summary>Hides it for this long from now on; whole seconds, zero shows it to everybody.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task HideAsync(TimeSpan visibility, CancellationToken cancellationToken)
    {
        try
        {
            UpdateReceipt updated = await _queue.UpdateMessageAsync(MessageId, _receipt, message.MessageText, visibility, cancellationToken);
            _receipt = updated.PopReceipt;
            _renewedAt = time.Elapsed();
        }
        catch (RequestFailedException e) when (IsTaken(e))
        {
            IsLost = true;
        }
    }

    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _queue.DeleteMessageAsync(MessageId, _receipt, cancellationToken);
        }
        catch (RequestFailedException e) when (IsTaken(e))
        {
            IsLost = true;
        }
    }

    private static bool IsTaken(RequestFailedException e) => e.Status == 404 || e.ErrorCode == QueueErrorCode.PopReceiptMismatch;
}
