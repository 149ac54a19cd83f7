using Azure;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;

namespace OllamaMax.Storage.Queues;

/// <summary>
/// A queue's message, hidden from others for as long as its holder is alive and says so. Losing it must be no catastrophe. Not safe for concurrent use.
/// </summary>
public sealed class QueueHold
{
    private readonly TimeProvider _time;
    private readonly string _text;
    private QueueClient _queue;
    private string _receipt;
    private long _renewedAt;

    /// <summary>Of a message that was taken.</summary>
    public QueueHold(QueueClient queue, QueueMessage message, TimeProvider time)
        : this(queue, message.MessageId, message.PopReceipt, message.MessageText, time)
    {
    }

    /// <summary>Of a message that was put, and hidden at once.</summary>
    public QueueHold(QueueClient queue, SendReceipt sent, string text, TimeProvider time)
        : this(queue, sent.MessageId, sent.PopReceipt, text, time)
    {
    }

    private QueueHold(QueueClient queue, string messageId, string receipt, string text, TimeProvider time)
    {
        (MessageId, _queue, _receipt, _text, _time) = (messageId, queue, receipt, text, time);
        _renewedAt = time.GetTimestamp();
    }

    public string MessageId { get; }

    /// <summary>Somebody else has it, or it is gone.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Time since it was last hidden.</summary>
    public TimeSpan Age => _time.GetElapsedTime(_renewedAt);

    /// <summary>The same queue by an address with a fresh signature.</summary>
    public void Renew(QueueClient renewed) => _queue = renewed;

    /// <summary>Hides it for this long from now on; whole seconds, zero shows it to everybody.</summary>
    /// <exception cref="RequestFailedException">Storage refused or cannot be reached.</exception>
    public async Task HideAsync(TimeSpan visibility, CancellationToken cancellationToken)
    {
        try
        {
            UpdateReceipt updated = await _queue.UpdateMessageAsync(MessageId, _receipt, _text, visibility, cancellationToken);
            _receipt = updated.PopReceipt;
            _renewedAt = _time.GetTimestamp();
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
