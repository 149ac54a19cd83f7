using OllamaMax.GpuWorker;

return await WorkerCommand.Create().Parse(args).InvokeAsync();
