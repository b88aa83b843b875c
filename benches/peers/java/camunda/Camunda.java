import java.nio.file.Path;
import java.util.Map;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.camunda.bpm.engine.impl.persistence.StrongUuidGenerator;
import org.camunda.bpm.engine.task.Task;

/** Camunda 7, embedded: `Camunda JDBC_URL FOLDER_OF_MODELS`. */
final class Camunda extends Contestant {
    private final ProcessEngine engine;

    private Camunda(String url) {
        var configuration = new StandaloneProcessEngineConfiguration();
        configuration.setDataSource(pool(url));
        configuration.setDatabaseSchemaUpdate("true");
        configuration.setHistory("full");
        configuration.setJobExecutorActivate(false);
        configuration.setEnforceHistoryTimeToLive(false);
        configuration.setIdGenerator(new StrongUuidGenerator());
        configuration.setMetricsEnabled(false);
        engine = configuration.buildProcessEngine();
    }

    @Override
    void deploy(String name, String xml) {
        engine.getRepositoryService().createDeployment().addString(name, xml).deploy();
    }

    @Override
    String start(String process, Map<String, Object> variables) {
        return engine.getRuntimeService().startProcessInstanceByKey(process, variables).getId();
    }

    @Override
    String task(String instance) {
        Task task = engine.getTaskService().createTaskQuery().processInstanceId(instance).singleResult();
        return task == null ? null : task.getId();
    }

    @Override
    void complete(String task) {
        engine.getTaskService().complete(task);
    }

    public static void main(String[] arguments) throws Exception {
        new Camunda(arguments[0]).attend(Path.of(arguments[1]));
    }
}
