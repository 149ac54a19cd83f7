namespace OllamaMax.Jobs.Records;

public enum RecordStatus
{
    /// <summary>Waits for a worker, the first or the next one.</summary>
    Queued,

    Running,

    Completed,

    /// <summary>Has no answer and will get none by itself; an operator may queue it again.</summary>
    Failed,

    Cancelled,
}

/// <summary>Which API's call the job was given as, and is answered as.</summary>
public enum RequestShape
{
    Chat,
    Generate,

    /// <summary>OpenAI's <c>/v1/responses</c>.</summary>
    Response,

    /// <summary>A line of a batch for OpenAI's <c>/v1/chat/completions</c>.</summary>
    OpenAIChat,

    /// <summary>A line of a batch for OpenAI's <c>/v1/completions</c>.</summary>
    OpenAICompletion,

    /// <summary>A line of a batch for OpenAI's <c>/v1/embeddings</c>.</summary>
    OpenAIEmbedding,
}
