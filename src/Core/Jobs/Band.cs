namespace OllamaMax.Jobs;

/// <summary>Which of a model's two queues a job waits in; interactive goes first.</summary>
public enum Band
{
    Interactive,
    Batch,
}
